namespace KerberosMessaging.MessageServer.Persistence;

/// <summary>An envelope that waits in a mailbox.</summary>
internal sealed class EnvelopeRow
{
    /// <summary>The mailbox and the sequence number in one, see <see cref="EnvelopeKey"/>.</summary>
    public long Id { get; set; }

    public Guid MessageId { get; set; }

    public Guid SenderClientId { get; set; }

    public Guid SenderDeviceId { get; set; }

    public string SenderName { get; set; } = "";

    /// <summary>Milliseconds since 1970.</summary>
    public long AcceptedAt { get; set; }

    /// <summary>Milliseconds since 1970.</summary>
    public long ExpiresAt { get; set; }

    public byte[] Body { get; set; } = [];
}
