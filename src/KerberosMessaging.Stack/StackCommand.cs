using System.CommandLine;
using KerberosMessaging.Hosting.Startup;

namespace KerberosMessaging.Stack;

/// <summary>The command line of the stack.</summary>
internal static class StackCommand
{
    private const int UsageError = 2;

    public static async Task<int> RunAsync(string[] args)
    {
        var data = new Option<string>("--data")
        {
            Description = "Folder for databases and keys.",
            DefaultValueFactory = _ => "data",
            HelpName = "DIR",
        };
        var address = new Option<string>("--address")
        {
            Description = "IP address that the servers listen on and tell clients.",
            DefaultValueFactory = _ => "127.0.0.1",
            HelpName = "IP",
        };
        var authPort = Port("--auth-port", "TCP port of the auth server.", 1256);
        var authAdminPort = Port("--auth-admin-port", "HTTP port of the auth server's admin API.", 8081);
        var messagePort = Port("--message-port", "TCP port of the message server.", 1257);
        var messageAdminPort = Port("--message-admin-port", "HTTP port of the message server's admin API.", 8082);
        var demo = new Option<bool>("--demo")
        {
            Description = "Show a conversation between two people on free ports and a temporary folder, check that the servers hold no plaintext, and exit.",
        };
        var command = new RootCommand("Runs an auth server and a message server in one process.")
        {
            data, address, authPort, authAdminPort, messagePort, messageAdminPort, demo,
        };
        var parsed = command.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            await Console.Error.WriteLineAsync($"stack: {parsed.Errors[0].Message} See --help.");
            return UsageError;
        }

        command.SetAction((result, cancellationToken) => result.GetValue(demo)
            ? Demo.RunAsync(Console.Out, cancellationToken)
            : ServeAsync(
                new StackOptions
                {
                    Data = result.GetValue(data)!,
                    Address = result.GetValue(address)!,
                    AuthPort = result.GetValue(authPort),
                    AuthAdminPort = result.GetValue(authAdminPort),
                    MessagePort = result.GetValue(messagePort),
                    MessageAdminPort = result.GetValue(messageAdminPort),
                },
                cancellationToken));
        try
        {
            // The hosts handle signals themselves, and get the time they need to say goodbye.
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (Exception e) when (ServerProgram.Explain(e) is { } reason)
        {
            await Console.Error.WriteLineAsync($"stack: cannot start: {reason}");
            return ServerProgram.CannotStart;
        }
    }

    private static async Task<int> ServeAsync(StackOptions options, CancellationToken cancellationToken)
    {
        await using var stack = await RunningStack.StartAsync(options, Console.Out, cancellationToken);
        stack.WriteBanner(Console.Out);
        await stack.WaitForShutdownAsync();
        return 0;
    }

    private static Option<int> Port(string name, string description, int port) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => port,
        HelpName = "PORT",
    };
}
