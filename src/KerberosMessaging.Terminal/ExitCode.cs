namespace KerberosMessaging.Terminal;

/// <summary>What the program's exit code says. Scripts depend on the numbers: they are never reused or renumbered.</summary>
internal enum ExitCode
{
    /// <summary>It was done.</summary>
    Ok = 0,

    /// <summary>The command line, or what was typed or piped in, cannot be used as it is.</summary>
    Usage = 2,

    /// <summary>A server cannot be reached, or did not answer in time.</summary>
    Unreachable = 3,

    /// <summary>The name or the password is wrong, or the account is locked or disabled.</summary>
    LoginFailed = 4,

    /// <summary>There is no login, or it ended or was revoked.</summary>
    NotLoggedIn = 5,

    /// <summary>A key is not the one it should be: the realm's, a server's or a contact's; or digits did not match.</summary>
    Untrusted = 6,

    /// <summary>The realm knows no client of that name.</summary>
    UnknownRecipient = 7,

    /// <summary>The recipient has no device yet that a message could be encrypted to.</summary>
    RecipientNotReady = 8,

    /// <summary>
    /// Refused, as a rule by a server: registration closed, token refused, name taken or not allowed, device refused or unknown,
    /// link code of no device, mailbox full, or another reason.
    /// </summary>
    Refused = 9,

    /// <summary>A local file or folder is missing, damaged or not usable, or is sealed under another key.</summary>
    LocalProblem = 10,

    /// <summary>Another connection of this device took over receiving.</summary>
    TakenOver = 11,

    /// <summary>Too many failed logins, requests or connections: it may be tried again after the time that was said.</summary>
    TooManyRequests = 12,

    /// <summary>A fault of the program's own.</summary>
    Unexpected = 70,

    /// <summary>It was stopped by Ctrl+C or a signal before it was done.</summary>
    Interrupted = 130,
}
