using System.Diagnostics;

namespace KerberosMessaging.Terminal.Tests;

/// <summary>The program as a process of its own.</summary>
public sealed class ProcessTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Output_and_exit_code_arrive()
    {
        using var process = Start("help", "exit-codes");

        var output = await process.StandardOutput.ReadToEndAsync(Cancel);
        var errors = await process.StandardError.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);

        Assert.Equal(0, process.ExitCode);
        Assert.StartsWith("Exit codes:", output, StringComparison.Ordinal);
        Assert.Empty(errors);
    }

    [Fact]
    public async Task A_reader_that_left_is_noticed_and_not_complained_about()
    {
        using var process = Start("help", "exit-codes");

        process.StandardOutput.Close();
        var errors = await process.StandardError.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);

        Assert.Equal(0, process.ExitCode);
        Assert.Empty(errors);
    }

    [Fact]
    public async Task Usage_errors_go_to_standard_error()
    {
        using var process = Start("frobnicate");

        var output = await process.StandardOutput.ReadToEndAsync(Cancel);
        var errors = await process.StandardError.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);

        Assert.Equal((int)ExitCode.Usage, process.ExitCode);
        Assert.Empty(output);
        Assert.StartsWith("kmsg: unknown command frobnicate", errors, StringComparison.Ordinal);
    }

    private static Process Start(params string[] args)
    {
        var info = new ProcessStartInfo("dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        info.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "kmsg.dll"));
        foreach (var arg in args)
        {
            info.ArgumentList.Add(arg);
        }

        var process = Process.Start(info)!;
        process.StandardInput.Close();
        return process;
    }
}
