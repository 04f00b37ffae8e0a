using System.Diagnostics;
using System.Runtime.InteropServices;

namespace KerberosMessaging.EndToEndTests.Support;

/// <summary>A server program as a process of its own.</summary>
internal sealed class ServerProgramRun : IAsyncDisposable
{
    private const int SigTerm = 15;

    private readonly Process _process;

    private ServerProgramRun(Process process) => _process = process;

    public Lines Output { get; } = new();

    public Lines Errors { get; } = new();

    /// <summary>Starts a program from the test's own output folder.</summary>
    /// <param name="program">The assembly's name.</param>
    /// <param name="folder">Where it runs.</param>
    /// <param name="args">Its command line.</param>
    public static ServerProgramRun Start(string program, string folder, params IEnumerable<string> args) =>
        StartInstalled("dotnet", folder, [Path.Combine(AppContext.BaseDirectory, $"{program}.dll"), .. args]);

    /// <summary>Starts a program of the machine.</summary>
    /// <param name="path">Its file, or its name where the shell would find it.</param>
    /// <param name="folder">Where it runs.</param>
    /// <param name="args">Its command line.</param>
    public static ServerProgramRun StartInstalled(string path, string folder, params IEnumerable<string> args)
    {
        var start = new ProcessStartInfo(path)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var arg in args)
        {
            start.ArgumentList.Add(arg);
        }

        var process = Process.Start(start)!;
        var run = new ServerProgramRun(process);
        process.OutputDataReceived += (_, e) => Take(run.Output, e.Data);
        process.ErrorDataReceived += (_, e) => Take(run.Errors, e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return run;
    }

    /// <summary>A line that the program must write before it ends.</summary>
    public async Task<string> ExpectAsync(string text, CancellationToken cancellationToken) =>
        await Output.FindAsync(text, cancellationToken)
            ?? throw new InvalidOperationException(
                $"The program ended without '{text}':\n{string.Join('\n', Output.All)}\n{string.Join('\n', Errors.All)}");

    /// <summary>The end that nothing can prepare for: SIGKILL.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
    }

    /// <summary>Asks it to end: SIGTERM.</summary>
    public void Terminate() => Assert.Equal(0, SendSignal(_process.Id, SigTerm));

    /// <summary>Waits for its end and its last line, and gives the exit code.</summary>
    public async Task<int> WaitForExitAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }

    private static void Take(Lines lines, string? line)
    {
        if (line is null)
        {
            lines.End();
        }
        else
        {
            lines.Add(line);
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int process, int signal);
}
