namespace KerberosMessaging.MessageServer.Domain.Blobs;

/// <summary>What became of a step of an upload.</summary>
internal enum BlobStatus
{
    /// <summary>The upload is there, as far as it says.</summary>
    Ok,

    /// <summary>There is no such blob for this client.</summary>
    Unknown,

    /// <summary>It contradicts what was announced.</summary>
    Refused,

    /// <summary>It is larger than one blob may be.</summary>
    TooLarge,

    /// <summary>The client's blobs take all they may.</summary>
    QuotaExceeded,

    /// <summary>The server has no room for it now.</summary>
    NoRoom,

    /// <summary>The server's disk or database failed; nothing was lost that was told to be stored.</summary>
    Busy,
}
