namespace KerberosMessaging.MessageServer.Persistence;

/// <summary>A message id that a client has used, remembered beyond the acknowledgement.</summary>
internal sealed class SentMessageRow
{
    public Guid SenderClientId { get; set; }

    public Guid MessageId { get; set; }

    /// <summary>SHA-256 over what was asked for.</summary>
    public byte[] Digest { get; set; } = [];

    /// <summary>Milliseconds since 1970.</summary>
    public long AcceptedAt { get; set; }
}
