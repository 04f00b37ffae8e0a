namespace KerberosMessaging.AuthServer.Persistence;

/// <summary>An enrolled message server.</summary>
internal sealed class MessageServerRow
{
    public Guid Id { get; init; }

    public required string Name { get; set; }

    public required string Host { get; set; }

    public ushort Port { get; set; }

    public required byte[] SigningKey { get; set; }

    /// <summary>The newest ticket-signing key that it confirmed to have stored; 0 for none.</summary>
    public uint TicketSigningVersion { get; set; }

    public DateTimeOffset EnrolledAt { get; init; }

    /// <summary>When it last proved its key.</summary>
    public DateTimeOffset? LastSeenAt { get; set; }

    public DateTimeOffset? DisabledAt { get; set; }
}
