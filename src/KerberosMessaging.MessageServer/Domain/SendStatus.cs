namespace KerberosMessaging.MessageServer.Domain;

/// <summary>What became of a submission.</summary>
internal enum SendStatus
{
    /// <summary>Every envelope is on disk or acknowledged, now or since the same submission came before.</summary>
    Accepted,

    /// <summary>No device of the recipient is known here.</summary>
    UnknownClient,

    /// <summary>The envelopes do not match the recipient's devices; nothing was stored.</summary>
    DevicesMismatched,

    /// <summary>A mailbox is full; nothing was stored.</summary>
    QuotaExceeded,

    /// <summary>The whole store is full, or nearly the disk; nothing was stored.</summary>
    StoreFull,

    /// <summary>The server cannot keep it now; it may come again later.</summary>
    Busy,

    /// <summary>The sender used the message id for something else before; nothing was stored.</summary>
    MessageIdReused,
}
