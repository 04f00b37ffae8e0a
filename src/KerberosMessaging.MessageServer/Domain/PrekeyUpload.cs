namespace KerberosMessaging.MessageServer.Domain;

/// <summary>What became of an upload of prekeys.</summary>
/// <param name="Status">Whether it was stored, all of it.</param>
/// <param name="Stock">What there is then, for <see cref="PrekeyUploadStatus.Stored"/>.</param>
internal readonly record struct PrekeyUpload(PrekeyUploadStatus Status, PrekeyStock Stock = default);

/// <summary>Whether an upload was stored.</summary>
internal enum PrekeyUploadStatus
{
    /// <summary>All of it is there, now or since the same upload came before.</summary>
    Stored,

    /// <summary>There would be too many one-time prekeys of a kind; nothing was changed.</summary>
    TooMany,

    /// <summary>The mailbox is gone with its device; nothing was changed.</summary>
    NoMailbox,
}
