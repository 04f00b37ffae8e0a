using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;

namespace KerberosMessaging.Benchmarks.Servers;

/// <summary>What all benchmarks of whole servers have around them.</summary>
internal static class ServerBenchmark
{
    /// <summary>
    /// Pins this process to the load's CPU and runs a benchmark, which SIGINT and SIGTERM end early: its servers must not
    /// outlive it.
    /// </summary>
    /// <param name="measure">The benchmark. It gives the exit code.</param>
    public static async Task<int> RunAsync(Func<CancellationToken, Task<int>> measure)
    {
        if (typeof(ServerBenchmark).Assembly.GetCustomAttribute<DebuggableAttribute>() is { IsJITOptimizerDisabled: true })
        {
            await Console.Error.WriteLineAsync("This is a debug build, and so are its servers: run with -c Release.");
            return 2;
        }

        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        CpuPinning.PinLoad();
        try
        {
            return await measure(stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("Interrupted.");
            return 1;
        }
        catch (Exception e)
        {
            // A server that died or refused, mostly. Unhandled, it would abort the process.
            await Console.Error.WriteLineAsync(e.ToString());
            return 1;
        }

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.Cancel();
        }
    }
}
