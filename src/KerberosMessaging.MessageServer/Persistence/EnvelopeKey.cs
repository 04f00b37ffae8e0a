namespace KerberosMessaging.MessageServer.Persistence;

/// <summary>
/// A mailbox's number and a number within it, in one key of 63 bits: rows of one mailbox lie side by side in their order, in one
/// tree and without an index.
/// </summary>
internal static class EnvelopeKey
{
    // 2^40 messages a mailbox, 2^23 mailboxes.
    private const int NumberBits = 40;
    private const long NumberMask = (1L << NumberBits) - 1;

    /// <summary>The most that a mailbox's number may be.</summary>
    public const long LargestMailbox = (1L << (63 - NumberBits)) - 1;

    /// <summary>The key; a number out of range becomes the nearest that is in it.</summary>
    public static long Of(long mailbox, long number) => (mailbox << NumberBits) | Math.Clamp(number, 0, NumberMask);

    /// <summary>The first key of a mailbox.</summary>
    public static long FirstOf(long mailbox) => Of(mailbox, 0);

    /// <summary>The last key of a mailbox.</summary>
    public static long LastOf(long mailbox) => Of(mailbox, NumberMask);

    public static long MailboxOf(long key) => key >> NumberBits;

    public static long NumberOf(long key) => key & NumberMask;
}
