using System.Data.Common;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Startup.Commands;
using KerberosMessaging.Hosting.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Startup;

/// <summary>Runs a server as a program: its commands, a banner when it is up, and one clear line when it cannot start.</summary>
public static class ServerProgram
{
    private const string Binder = "Microsoft.Extensions.Configuration.Binder";

    /// <summary>Exit code for a server that could not start.</summary>
    public const int CannotStart = 1;

    /// <summary>Exit code for a command that does not exist or is called wrongly.</summary>
    public const int UsageError = 2;

    /// <summary>Does what the command line says: a command, or to serve where it names none.</summary>
    /// <param name="server">The server.</param>
    /// <param name="args">The command line.</param>
    /// <param name="build">Builds the server that is to serve.</param>
    /// <returns>The exit code of the process: 0 when it was done, 1 when it could not be, 2 for a command line that means nothing.</returns>
    public static async Task<int> RunAsync(ServerDefinition server, string[] args, Func<Task<WebApplication>> build)
    {
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(args);

        try
        {
            var line = CommandLine.Parse(args, ServerCommands.All);
            if (line.IsHelp)
            {
                ServerCommands.WriteHelp(server, Console.Out);
                return 0;
            }

            return line.Command is { } command ? await RunAsync(server, command, line) : await RunAsync(server.Name, build);
        }
        catch (UsageException e)
        {
            await Console.Error.WriteLineAsync($"{server.Name}: {e.Message}");
            return UsageError;
        }
    }

    /// <summary>Builds and runs a server until it is told to stop.</summary>
    /// <param name="name">What the server is called in its messages.</param>
    /// <param name="build">Builds it.</param>
    /// <returns>The exit code of the process.</returns>
    public static async Task<int> RunAsync(string name, Func<Task<WebApplication>> build)
    {
        try
        {
            await using var app = await build();

            // Before the start, which may fail: the token was made and stored by now, and nothing shows it later.
            WriteNewToken(name, app, Console.Out);
            await app.StartAsync();
            WriteBanner(name, app, Console.Out);
            await app.WaitForShutdownAsync();
            return 0;
        }
        catch (Exception e) when (Explain(e) is { } reason)
        {
            await Console.Error.WriteLineAsync($"{name}: cannot start: {reason}");
            return CannotStart;
        }
    }

    /// <summary>Says, the first time, what a built server's admin token is.</summary>
    /// <param name="name">What the server is called.</param>
    /// <param name="app">The built server.</param>
    /// <param name="output">Where to write.</param>
    public static void WriteNewToken(string name, WebApplication app, TextWriter output)
    {
        if (app.Services.GetRequiredService<AdminToken>().NewlyMade is { } token)
        {
            output.WriteLine($"{name}: admin token, shown only this once: {token}");
        }
    }

    /// <summary>Says where a started server listens.</summary>
    /// <param name="name">What the server is called.</param>
    /// <param name="app">The started server.</param>
    /// <param name="output">Where to write.</param>
    public static void WriteBanner(string name, WebApplication app, TextWriter output)
    {
        var wire = app.Services.GetRequiredService<WireListener>().EndPoint;
        var admin = app.Services.GetRequiredService<AdminListener>().Address;
        output.WriteLine($"{name}: clients connect to {wire}, Swagger is at {admin}swagger");
    }

    /// <summary>One line for an operator about why a server could not start; null for what is a fault of the server's own.</summary>
    /// <param name="exception">What was thrown.</param>
    public static string? Explain(Exception exception) => exception switch
    {
        StartupException or AdminTokenException => exception.Message,
        OptionsValidationException options => string.Join(" ", options.Failures),

        // A value that is not even of the right type; the message names it and its key.
        InvalidOperationException { Source: Binder } => exception.Message,

        // appsettings.json is not JSON; the inner message says where.
        InvalidDataException { InnerException: { } inner } => $"{exception.Message} {inner.Message}",
        IOException { InnerException: AddressInUseException } => $"{exception.Message} Stop what uses the port, or configure another.",
        SocketException => $"cannot listen: {exception.Message}",
        DbException => $"the database cannot be used: {exception.Message}",
        IOException or UnauthorizedAccessException => exception.Message,
        AggregateException { InnerExceptions: var all } when all.Select(Explain).ToArray() is var reasons && !reasons.Contains(null) =>
            string.Join(" ", reasons),
        _ => null,
    };

    private static async Task<int> RunAsync(ServerDefinition server, ServerCommand command, CommandLine line)
    {
        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        try
        {
            await command.RunAsync(new CommandCall(server, server.Configure(line.Configuration), line.Options, Console.Out), stop.Token);
            return 0;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync($"{server.Name}: {command.Name}: interrupted");
            return CannotStart;
        }
        catch (Exception e) when (Explain(e) is { } reason)
        {
            await Console.Error.WriteLineAsync($"{server.Name}: {command.Name}: {reason}");
            return CannotStart;
        }

        // The first signal ends the command in good order; a second one ends the process at once.
        void Stop(PosixSignalContext context)
        {
            context.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        }
    }
}
