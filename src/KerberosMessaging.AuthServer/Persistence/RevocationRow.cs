namespace KerberosMessaging.AuthServer.Persistence;

/// <summary>What was revoked. The numbers are stored, and the same on the wire.</summary>
internal enum RevocationKind
{
    Session = 1,
    Device = 2,
    Client = 3,
}

/// <summary>An entry of the revocation log, which message servers follow by position.</summary>
internal sealed class RevocationRow
{
    /// <summary>Strictly increasing, never reused.</summary>
    public long Position { get; init; }

    public RevocationKind Kind { get; init; }

    public Guid ClientId { get; init; }

    /// <summary>The device; zero when the whole client is meant.</summary>
    public Guid DeviceId { get; init; }

    /// <summary>The session; zero unless one is meant.</summary>
    public Guid SessionId { get; init; }

    public DateTimeOffset At { get; init; }
}
