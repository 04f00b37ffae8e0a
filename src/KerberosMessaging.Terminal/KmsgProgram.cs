using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using KerberosMessaging.Terminal.Commands;
using KerberosMessaging.Terminal.Interaction;

namespace KerberosMessaging.Terminal;

/// <summary>The program apart from its process: arguments and a shell in, an exit code out.</summary>
internal static class KmsgProgram
{
    // What the system calls a closed pipe (EPIPE), as .NET hands it on.
    private const int BrokenPipe = 32;

    public static async Task<int> RunAsync(string[] args, IShell shell, CancellationToken cancellationToken)
    {
        try
        {
            // No response files: a message or name may well begin with @. No bundling: -hello is a text, not five options.
            var parsed = CreateRoot(shell).Parse(
                args, new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
            if (parsed.Action is ParseErrorAction)
            {
                throw UsageErrors.Of(parsed);
            }

            return await parsed.InvokeAsync(
                new InvocationConfiguration
                {
                    Output = shell.Output,
                    Error = shell.Error,
                    EnableDefaultExceptionHandler = false,
                    ProcessTerminationTimeout = null,
                },
                cancellationToken);
        }
        catch (IOException e) when (!OperatingSystem.IsWindows() && e.HResult == BrokenPipe)
        {
            // Whoever read the output has enough of it.
            return (int)ExitCode.Ok;
        }
        catch (Exception e)
        {
            var report = FailureReport.Of(e, cancellationToken);
            report.WriteTo(shell.Error);
            return (int)report.Code;
        }
    }

    private static RootCommand CreateRoot(IShell shell)
    {
        var common = new CommonOptions();
        var root = new RootCommand("Secure messages with tickets: end-to-end encrypted, between the clients of a realm.")
        {
            RealmCommand.Create(shell, common),
            RegisterCommand.Create(shell, common),
            LoginCommand.Create(shell, common),
            LogoutCommand.Create(shell, common),
            PasswordCommand.Create(shell, common),
            DevicesCommand.Create(shell, common),
            TicketsCommand.Create(shell, common),
            SendCommand.Create(shell, common),
            ReceiveCommand.Create(shell, common),
            HistoryCommand.Create(shell, common),
            ContactsCommand.Create(shell, common),
            BackupCommand.Create(shell, common),
            HelpCommand.Create(shell),
            common.Home,
            common.As,
            common.Timeout,
        };
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExitCodes((HelpAction)help.Action!);
        return root;
    }

    private sealed class HelpWithExitCodes(HelpAction inner) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            var result = inner.Invoke(parseResult);
            if (parseResult.CommandResult.Command is RootCommand)
            {
                ExitCodeHelp.Write(parseResult.InvocationConfiguration.Output);
            }

            return result;
        }
    }
}
