namespace KerberosMessaging.MessageServer.Persistence;

/// <summary>An envelope that waits in a mailbox.</summary>
internal sealed class EnvelopeRow
{
    public long MailboxId { get; set; }

    public long Sequence { get; set; }

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
