namespace KerberosMessaging.MessageServer.Persistence;

/// <summary>Message ids that a device has used and that were stored in one transaction, remembered beyond the acknowledgement.</summary>
internal sealed class SentIdsRow
{
    /// <summary>The device's mailbox and the row's number in one, see <see cref="EnvelopeKey"/>.</summary>
    public long Id { get; set; }

    /// <summary>When the newest of them was accepted: milliseconds since 1970.</summary>
    public long AcceptedAt { get; set; }

    /// <summary>Of each: the message id (16 bytes), the digest of what was asked for (8) and when it was accepted (8).</summary>
    public byte[] Ids { get; set; } = [];
}
