using System.Diagnostics;
using System.Runtime.InteropServices;

namespace KerberosMessaging.Stack.Tests.Support;

/// <summary>The stack as a process of its own, as a user runs it.</summary>
internal sealed class StackRun : IAsyncDisposable
{
    public const int SigInt = 2;
    public const int SigTerm = 15;

    private readonly Process _process;

    private StackRun(Process process) => _process = process;

    public Lines Output { get; } = new();

    public Lines Errors { get; } = new();

    /// <summary>Starts the built program, with its temporary files in the test's folder.</summary>
    public static StackRun Start(TempFolder folder, params IEnumerable<string> args)
    {
        var temporary = Directory.CreateDirectory(folder.File("tmp")).FullName;
        var start = new ProcessStartInfo("dotnet")
        {
            WorkingDirectory = folder.Path,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["TMPDIR"] = temporary, ["DOTNET_EnableDiagnostics"] = "0" },
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "KerberosMessaging.Stack.dll"));
        foreach (var arg in args)
        {
            start.ArgumentList.Add(arg);
        }

        var process = Process.Start(start)!;
        var run = new StackRun(process);
        process.OutputDataReceived += (_, e) => Take(run.Output, e.Data);
        process.ErrorDataReceived += (_, e) => Take(run.Errors, e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return run;
    }

    /// <summary>The last word of a line that the program must write before it ends.</summary>
    public async Task<string> ExpectAsync(string text, CancellationToken cancellationToken)
    {
        var line = await Output.FindAsync(text, cancellationToken)
            ?? throw new InvalidOperationException(
                $"The program ended without '{text}':\n{string.Join('\n', Output.All)}\n{string.Join('\n', Errors.All)}");
        return line[(line.LastIndexOf(' ') + 1)..];
    }

    public void Signal(int signal) => Assert.Equal(0, SendSignal(_process.Id, signal));

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
            _process.Kill();
            await _process.WaitForExitAsync(CancellationToken.None);

            // Of use where a test's time was up.
            TestContext.Current.TestOutputHelper?.WriteLine(string.Join('\n', [.. Output.All, .. Errors.All]));
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
