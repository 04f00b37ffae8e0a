using KerberosMessaging.Client;
using KerberosMessaging.Terminal.Rendering;

namespace KerberosMessaging.Terminal;

/// <summary>What the user is told about a failure, and the exit code that tells it to a script.</summary>
internal sealed record FailureReport(ExitCode Code, string Message, string? Hint)
{
    public static FailureReport Of(Exception exception, CancellationToken cancellationToken) => exception switch
    {
        CommandException e => new FailureReport(e.Code, e.Message, e.Hint),
        MessagingException e => new FailureReport(CodeOf(e.Failure), e.Message, HintOf(e.Failure)),
        OperationCanceledException when cancellationToken.IsCancellationRequested =>
            new FailureReport(ExitCode.Interrupted, "interrupted", null),
        IOException or UnauthorizedAccessException => new FailureReport(ExitCode.LocalProblem, exception.Message, null),
        _ => new FailureReport(
            ExitCode.Unexpected,
            $"unexpected error: {exception.GetType().Name}: {exception.Message}",
            "this is a fault of the program's own; please report it"),
    };

    public static ExitCode CodeOf(MessagingFailure failure) => failure switch
    {
        MessagingFailure.Unreachable => ExitCode.Unreachable,
        MessagingFailure.PasswordTooShort => ExitCode.Usage,
        MessagingFailure.LoginFailed => ExitCode.LoginFailed,
        MessagingFailure.ClientDisabled => ExitCode.LoginFailed,
        MessagingFailure.NotLoggedIn => ExitCode.NotLoggedIn,
        MessagingFailure.UntrustedServer => ExitCode.Untrusted,
        MessagingFailure.StretchingRefused => ExitCode.Untrusted,
        MessagingFailure.IdentityChanged => ExitCode.Untrusted,
        MessagingFailure.UnknownRecipient => ExitCode.UnknownRecipient,
        MessagingFailure.RecipientNotReady => ExitCode.RecipientNotReady,
        MessagingFailure.NameTaken => ExitCode.Refused,
        MessagingFailure.NameInvalid => ExitCode.Refused,
        MessagingFailure.RegistrationClosed => ExitCode.Refused,
        MessagingFailure.InviteRefused => ExitCode.Refused,
        MessagingFailure.RegistrationRefused => ExitCode.Refused,
        MessagingFailure.DeviceRefused => ExitCode.Refused,
        MessagingFailure.LinkRefused => ExitCode.Refused,
        MessagingFailure.UnknownDevice => ExitCode.Refused,
        MessagingFailure.MailboxFull => ExitCode.Refused,
        MessagingFailure.BlobNotFound => ExitCode.Refused,
        MessagingFailure.BlobTooLarge => ExitCode.Refused,
        MessagingFailure.BlobQuotaExceeded => ExitCode.Refused,
        MessagingFailure.BlobDamaged => ExitCode.Refused,
        MessagingFailure.Refused => ExitCode.Refused,
        MessagingFailure.StoreUnusable => ExitCode.LocalProblem,
        MessagingFailure.BackupUnusable => ExitCode.LocalProblem,
        MessagingFailure.TakenOver => ExitCode.TakenOver,
        MessagingFailure.TooManyRequests => ExitCode.TooManyRequests,
        _ => ExitCode.Unexpected,
    };

    public void WriteTo(TextWriter error)
    {
        // Messages can quote names that came from a server.
        error.WriteLine($"kmsg: {SafeText.OfLine(Message)}");
        if (Hint is not null)
        {
            error.WriteLine($"hint: {SafeText.OfLine(Hint)}");
        }
    }

    private static string? HintOf(MessagingFailure failure) => failure switch
    {
        MessagingFailure.Unreachable =>
            "is the server running, and can it be reached from here? 'kmsg realm add HOST:PORT' changes the auth server's address",
        MessagingFailure.LoginFailed => "check the spelling of both; 'kmsg register NAME' makes a new account",
        MessagingFailure.ClientDisabled or MessagingFailure.RegistrationClosed => "ask the realm's administrator",
        MessagingFailure.InviteRefused =>
            "the realm's administrator makes tokens; --token-file FILE or --token-stdin takes one",
        MessagingFailure.DeviceRefused =>
            "a device that was removed never logs in again: move its store away, and the next login makes a new device",
        MessagingFailure.LinkRefused =>
            "'kmsg devices link' on the new device shows a code; 'kmsg devices approve' takes it on one that is linked",
        MessagingFailure.UnknownDevice => "kmsg devices list",
        MessagingFailure.NotLoggedIn => "kmsg login NAME",
        MessagingFailure.UntrustedServer =>
            "either someone stands in for the server, or the realm has a new key: ask its administrator for the fingerprint, "
            + "then 'kmsg realm remove' and 'kmsg realm add HOST:PORT --fingerprint HEX'",
        MessagingFailure.StretchingRefused => "nothing that the password could be tried on was sent; ask the realm's administrator",
        MessagingFailure.IdentityChanged =>
            "'kmsg contacts verify NAME' shows the safety number to compare; if you know why the identity changed, "
            + "'kmsg contacts accept NAME' takes the new one as it is",
        MessagingFailure.UnknownRecipient => "check the spelling; names are those that people registered with 'kmsg register'",
        MessagingFailure.RecipientNotReady =>
            "try again after the recipient has logged in once; a device that is not linked is written to once it is linked or accepted",
        MessagingFailure.NameTaken => "choose another name, or 'kmsg login' if it is yours",
        MessagingFailure.MailboxFull => "try again later, when the recipient has received some messages",
        MessagingFailure.TakenOver => "another 'kmsg receive' runs for this account on this device",
        MessagingFailure.StoreUnusable =>
            "a store that was made with --key-file opens only with the same file; one from before a password reset opens no more: "
            + "move it away, and the next login makes a new device",
        MessagingFailure.BackupUnusable => "a backup has a passphrase of its own, which is not the account's password",
        _ => null,
    };
}
