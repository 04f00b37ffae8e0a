using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace KerberosMessaging.MessageServer.Tests.Support;

/// <summary>The server as a process of its own, so that it can be killed, kept short and measured.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private const string Banner = "clients connect to 127.0.0.1:";

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines;
    private readonly Task _reading;

    private ServerProcess(Process process, ConcurrentQueue<string> lines, int port)
    {
        (_process, _lines, Port) = (process, lines, port);
        _reading = ReadAsync(process.StandardOutput, lines);
    }

    public int Port { get; }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>What it has written so far.</summary>
    public IReadOnlyCollection<string> Lines => _lines;

    /// <summary>The memory that it holds now, in bytes.</summary>
    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>Starts a server on a data folder that is that of an enrolled one, and waits until it listens.</summary>
    public static async Task<ServerProcess> StartAsync(string folder, CancellationToken cancellationToken, params string[] args)
    {
        var process = Start(folder, args);
        try
        {
            var lines = new ConcurrentQueue<string>();
            while (await process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
            {
                lines.Enqueue(line);
                if (line.IndexOf(Banner, StringComparison.Ordinal) is >= 0 and var at)
                {
                    var port = line[(at + Banner.Length)..line.IndexOf(',', at)];
                    return new ServerProcess(process, lines, int.Parse(port, CultureInfo.InvariantCulture));
                }
            }

            throw new InvalidOperationException($"The server did not start: {string.Join('\n', lines)}");
        }
        catch
        {
            process.Kill();
            process.Dispose();
            throw;
        }
    }

    /// <summary>Starts a server that cannot start, and gives its exit code and what it says about it.</summary>
    public static async Task<(int ExitCode, string[] Lines)> RefuseToStartAsync(
        string folder, CancellationToken cancellationToken, params string[] args)
    {
        using var process = Start(folder, args);
        try
        {
            var output = new ConcurrentQueue<string>();
            await ReadAsync(process.StandardOutput, output).WaitAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return (process.ExitCode, [.. output]);
        }
        finally
        {
            process.Kill();
        }
    }

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        await _reading;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_reading.IsCompleted)
        {
            await KillAsync();
        }

        _process.Dispose();
    }

    // Through a shell, for two things: what goes over a file-size limit is an error for the server and not its end (the
    // default action of SIGXFSZ), and both outputs are one stream.
    private static Process Start(string folder, string[] args)
    {
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardOutput = true };
        string[] all =
        [
            "-c",
            "trap '' XFSZ; exec dotnet \"$@\" 2>&1",
            "sh",
            typeof(MessageServerApp).Assembly.Location,
            $"--Data:Directory={folder}",
            "--Wire:Address=127.0.0.1",
            "--Wire:Port=0",
            "--Admin:Port=0",

            // Nobody listens there, and nobody is asked often.
            "--Realm:Port=1",
            "--Logging:LogLevel:Default=Warning",
            .. args,
        ];
        Array.ForEach(all, start.ArgumentList.Add);
        return Process.Start(start)!;
    }

    private static async Task ReadAsync(StreamReader output, ConcurrentQueue<string> lines)
    {
        while (await output.ReadLineAsync() is { } line)
        {
            lines.Enqueue(line);
        }
    }
}
