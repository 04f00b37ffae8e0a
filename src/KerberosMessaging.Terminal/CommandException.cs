namespace KerberosMessaging.Terminal;

/// <summary>A command cannot be done, for a reason that this program found itself.</summary>
internal sealed class CommandException(ExitCode code, string message, string? hint = null, Exception? inner = null)
    : Exception(message, inner)
{
    public ExitCode Code => code;

    /// <summary>What the user can do about it.</summary>
    public string? Hint => hint;

    public static CommandException Usage(string message, string? hint = null) => new(ExitCode.Usage, message, hint);

    public static CommandException Local(string message, string? hint = null, Exception? inner = null) =>
        new(ExitCode.LocalProblem, message, hint, inner);
}
