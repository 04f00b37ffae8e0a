using System.Diagnostics;

namespace KerberosMessaging.AuthServer.Tests.Support;

/// <summary>The server as a program of its own, as an operator starts it.</summary>
internal sealed class ServerProcess : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _errors;

    public ServerProcess(params string[] args)
    {
        var start = new ProcessStartInfo(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
            [Path.Combine(AppContext.BaseDirectory, "KerberosMessaging.AuthServer.dll"), .. args])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = Process.Start(start)!;
        _errors = _process.StandardError.ReadToEndAsync(Cancel);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async Task<string> ReadLineAsync() => await Wait.ForAsync(_process.StandardOutput.ReadLineAsync(Cancel).AsTask()) ?? "";

    /// <summary>Waits until it has ended by itself.</summary>
    public async Task<(int ExitCode, string Output, string Errors)> EndAsync()
    {
        var output = await Wait.ForAsync(_process.StandardOutput.ReadToEndAsync(Cancel));
        await Wait.ForAsync(_process.WaitForExitAsync(Cancel));
        return (_process.ExitCode, output, await Wait.ForAsync(_errors));
    }

    /// <summary>Sends SIGTERM.</summary>
    public async Task TerminateAsync()
    {
        using var kill = Process.Start("/bin/sh", ["-c", $"kill -TERM {_process.Id}"]);
        await Wait.ForAsync(kill.WaitForExitAsync(Cancel));
        Assert.Equal(0, kill.ExitCode);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }
}
