using System.Diagnostics;
using System.Globalization;

namespace KerberosMessaging.Benchmarks.Servers;

/// <summary>A server program in a process of its own, on the servers' CPU and a free port, with its options' defaults.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private const string BannerText = "clients connect to ";

    private readonly Process _process;
    private readonly List<string> _lines;
    private readonly Task _draining;

    private ServerProcess(Process process, List<string> lines)
    {
        _process = process;
        _lines = lines;
        Clock = new CpuClock(process.Id);

        // "message server: clients connect to 127.0.0.1:1257, Swagger is at http://127.0.0.1:8082/swagger"
        var banner = Line(BannerText);
        var address = banner[(banner.IndexOf(BannerText, StringComparison.Ordinal) + BannerText.Length)..banner.IndexOf(',', StringComparison.Ordinal)];
        Port = int.Parse(address[(address.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture);
        Admin = new Uri(banner[banner.IndexOf("http://", StringComparison.Ordinal)..].Replace("swagger", "", StringComparison.Ordinal));
        _draining = DrainAsync();
    }

    /// <summary>Its CPU time.</summary>
    public CpuClock Clock { get; }

    /// <summary>Where clients connect.</summary>
    public int Port { get; }

    /// <summary>Its admin API.</summary>
    public Uri Admin { get; }

    /// <summary>How many threads it has now.</summary>
    public int Threads => Directory.GetDirectories($"/proc/{_process.Id}/task").Length;

    /// <summary>The most memory that it ever held, in MiB.</summary>
    public long PeakMemoryMiB
    {
        get
        {
            _process.Refresh();
            return _process.PeakWorkingSet64 / (1024 * 1024);
        }
    }

    /// <summary>The memory that it holds now, in bytes.</summary>
    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>How many bytes it had the kernel write to disks so far.</summary>
    public long WrittenBytes
    {
        get
        {
            const string Field = "write_bytes: ";
            var line = File.ReadLines($"/proc/{_process.Id}/io").First(static line => line.StartsWith(Field, StringComparison.Ordinal));
            return long.Parse(line.AsSpan(Field.Length), CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Starts a server and waits until it listens.</summary>
    /// <param name="program">The assembly's name.</param>
    /// <param name="data">Its data folder.</param>
    /// <param name="options">What differs from its defaults.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task<ServerProcess> StartAsync(
        string program, string data, IEnumerable<string> options, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        string[] arguments =
        [
            Path.Combine(AppContext.BaseDirectory, $"{program}.dll"),
            "--Wire:Address=127.0.0.1",
            "--Wire:Port=0",
            "--Admin:Port=0",
            $"--Data:Directory={data}",
            "--Logging:LogLevel:Default=Warning",
            .. options,
        ];
        Array.ForEach(arguments, start.ArgumentList.Add);
        var process = CpuPinning.OnServerCpu(() => Process.Start(start)!);
        try
        {
            var lines = new List<string>();
            do
            {
                lines.Add(await process.StandardOutput.ReadLineAsync(cancellationToken)
                    ?? throw new InvalidOperationException($"{program} ended at its start:\n{string.Join('\n', lines)}"));
            }
            while (!lines[^1].Contains(BannerText, StringComparison.Ordinal));
            return new ServerProcess(process, lines);
        }
        catch
        {
            process.Kill();
            process.Dispose();
            throw;
        }
    }

    /// <summary>The last word of the line, among those before it listened, that has a text in it.</summary>
    public string LastWord(string text) => Line(text).Split(' ')[^1];

    public async ValueTask DisposeAsync()
    {
        // Its data are thrown away: nothing is to be saved.
        _process.Kill();
        await _process.WaitForExitAsync();
        await _draining;
        _process.Dispose();
    }

    private string Line(string text) => _lines.Find(line => line.Contains(text, StringComparison.Ordinal))
        ?? throw new InvalidOperationException($"The server did not write '{text}'.");

    // Warnings and errors: a measurement with such is not to be trusted, so they are shown.
    private async Task DrainAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            await Console.Error.WriteLineAsync(line);
        }
    }
}
