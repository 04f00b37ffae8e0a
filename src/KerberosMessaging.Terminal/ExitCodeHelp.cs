namespace KerberosMessaging.Terminal;

/// <summary>The exit codes in words.</summary>
internal static class ExitCodeHelp
{
    public static void Write(TextWriter output)
    {
        output.WriteLine("Exit codes:");
        foreach (var code in Enum.GetValues<ExitCode>())
        {
            output.WriteLine($"  {(int)code,3}  {Describe(code)}");
        }
    }

    public static string Describe(ExitCode code) => code switch
    {
        ExitCode.Ok => "done",
        ExitCode.Usage => "the command line, or what was typed or piped in, cannot be used as it is",
        ExitCode.Unreachable => "a server cannot be reached, or did not answer in time",
        ExitCode.LoginFailed => "wrong name or password, or the account is locked or disabled",
        ExitCode.NotLoggedIn => "not logged in, or the login ended or was revoked",
        ExitCode.Untrusted => "a key is not the one it should be (realm, server, contact), or digits did not match",
        ExitCode.UnknownRecipient => "the realm knows no client of that name",
        ExitCode.RecipientNotReady => "the recipient has no device yet that could be written to",
        ExitCode.Refused => "refused: registration closed; token, name, device or link code not taken; mailbox full; or other",
        ExitCode.LocalProblem => "a local file or folder is missing, damaged, not usable, or sealed under another key",
        ExitCode.TakenOver => "another connection of this device took over receiving",
        ExitCode.TooManyRequests => "too many failed logins, requests or connections; try again after the time that was said",
        ExitCode.Unexpected => "a fault of the program's own",
        ExitCode.Interrupted => "stopped by Ctrl+C or a signal before it was done",
        _ => throw new ArgumentOutOfRangeException(nameof(code)),
    };
}
