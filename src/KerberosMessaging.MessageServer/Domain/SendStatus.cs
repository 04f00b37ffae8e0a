namespace KerberosMessaging.MessageServer.Domain;

/// <summary>What became of a submission.</summary>
internal enum SendStatus
{
    /// <summary>Every envelope is in its mailbox, now or since the same submission came before.</summary>
    Accepted,

    /// <summary>No device of the recipient is known here.</summary>
    UnknownClient,

    /// <summary>The envelopes do not match the recipient's devices; nothing was stored.</summary>
    DevicesMismatched,

    /// <summary>A mailbox is full; nothing was stored.</summary>
    QuotaExceeded,

    /// <summary>The sender used the message id for something else before; nothing was stored.</summary>
    MessageIdReused,
}
