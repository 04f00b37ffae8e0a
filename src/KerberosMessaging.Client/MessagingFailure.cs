namespace KerberosMessaging.Client;

/// <summary>Why an operation of the SDK failed, as far as its caller can act on it.</summary>
public enum MessagingFailure
{
    /// <summary>A server cannot be reached, or went away and did not come back in time.</summary>
    Unreachable,

    /// <summary>The server's key is not the pinned one. Nothing was sent to it.</summary>
    UntrustedServer,

    /// <summary>Wrong password, unknown name or locked account: the server does not tell which.</summary>
    LoginFailed,

    /// <summary>The password is right, but an admin disabled the client.</summary>
    ClientDisabled,

    /// <summary>Too many failed logins, requests or connections: try again after <see cref="MessagingException.RetryAfter"/>.</summary>
    TooManyRequests,

    /// <summary>There is no login, or it ended or was revoked: log in again.</summary>
    NotLoggedIn,

    /// <summary>The name belongs to another client.</summary>
    NameTaken,

    /// <summary>The name breaks the realm's rules for names.</summary>
    NameInvalid,

    /// <summary>The realm takes no registrations.</summary>
    RegistrationClosed,

    /// <summary>The realm asks for a one-time token, and this one is missing, unknown, used, expired or made for another name.</summary>
    InviteRefused,

    /// <summary>The realm refused the registration for another reason.</summary>
    RegistrationRefused,

    /// <summary>The new password is shorter than the realm allows. Nothing made of it was stored.</summary>
    PasswordTooShort,

    /// <summary>The server asks for a password stretching that is too weak, or too costly, to be used.</summary>
    StretchingRefused,

    /// <summary>The realm refused this device.</summary>
    DeviceRefused,

    /// <summary>The code links no device: it is mistyped or of no device of this account, or this device is not linked itself.</summary>
    LinkRefused,

    /// <summary>The client has no active device of that id.</summary>
    UnknownDevice,

    /// <summary>No client of that name.</summary>
    UnknownRecipient,

    /// <summary>The recipient has no device yet that a message could be encrypted to.</summary>
    RecipientNotReady,

    /// <summary>The recipient's identity is not the one known or verified before.</summary>
    IdentityChanged,

    /// <summary>The recipient's mailbox is full.</summary>
    MailboxFull,

    /// <summary>Another connection of this device took over receiving.</summary>
    TakenOver,

    /// <summary>The local store is missing, unwritable, damaged, or sealed under another key.</summary>
    StoreUnusable,

    /// <summary>
    /// The backup cannot be read or written, is damaged, is another client's or realm's, or opens with another passphrase.
    /// </summary>
    BackupUnusable,

    /// <summary>The message server does not have the blob: it expired or was deleted, or it is not this client's to delete.</summary>
    BlobNotFound,

    /// <summary>The content is larger than the message server takes.</summary>
    BlobTooLarge,

    /// <summary>What this client uploaded takes all that the message server lets it have.</summary>
    BlobQuotaExceeded,

    /// <summary>What the message server gave is not what was uploaded.</summary>
    BlobDamaged,

    /// <summary>The server refused the request for a reason that the caller cannot act on.</summary>
    Refused,
}
