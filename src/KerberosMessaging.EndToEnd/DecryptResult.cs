namespace KerberosMessaging.EndToEnd;

/// <summary>
/// The outcome of <see cref="PeerSessions.Decrypt"/>. Everything but <see cref="Ok"/> leaves the sessions unchanged.
/// The values are for the receiving device alone: none of them may be told to the sender, who could learn from them.
/// </summary>
public enum DecryptResult
{
    /// <summary>The message is authentic, was read now, and can never be read again.</summary>
    Ok = 0,

    /// <summary>The bytes are not an envelope of a version and layout known here, or an authentic one that breaks the protocol.</summary>
    Malformed = 1,

    /// <summary>
    /// No session held knows the header: the session was lost, or its chain is long over, or the header is a forgery. Encrypted
    /// headers make these one.
    /// </summary>
    NoSession = 2,

    /// <summary>The message starts a session with a prekey that is not held (any more).</summary>
    UnknownPrekey = 3,

    /// <summary>
    /// The message is not authentic in the session that it belongs to, came under another message id than its own, or a public key
    /// in it is one that no agreement is possible with.
    /// </summary>
    BadMac = 4,

    /// <summary>
    /// Reading the message would skip more message keys at once than are kept (Double Ratchet, section 3.5, MAX_SKIP).
    /// </summary>
    TooManySkipped = 5,

    /// <summary>
    /// The message key was used before, or was given up as the oldest of too many skipped ones, or as too old.
    /// </summary>
    Duplicate = 6,

    /// <summary>The message, or every session held, names another pair of identities than the one asked for.</summary>
    WrongIdentity = 7,
}
