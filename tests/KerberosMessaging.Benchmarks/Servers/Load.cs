using System.Diagnostics;

namespace KerberosMessaging.Benchmarks.Servers;

/// <summary>What one kind of load cost a server.</summary>
/// <param name="Operations">How many were finished in the measured time.</param>
/// <param name="Errors">How many failed, the warm-up included.</param>
/// <param name="Elapsed">The measured time.</param>
/// <param name="ServerCpu">The server's CPU time in it.</param>
/// <param name="LoadCpu">The load's own CPU time in it.</param>
/// <param name="ServerThreads">The server's threads at the end.</param>
internal sealed record LoadResult(
    long Operations, long Errors, TimeSpan Elapsed, TimeSpan ServerCpu, TimeSpan LoadCpu, int ServerThreads)
{
    /// <summary>CPU time of the server for one operation, in microseconds.</summary>
    public double Microseconds => ServerCpu.TotalMicroseconds / Math.Max(1, Operations);

    /// <summary>Operations a second. Where the server was not busy all the time, the load or the disk was the limit.</summary>
    public double PerSecond => Operations / Elapsed.TotalSeconds;

    /// <summary>The part of the time that the server was running, 0 to 1.</summary>
    public double ServerBusy => ServerCpu / Elapsed;

    /// <summary>The part of the time that the load was running, 0 to 1.</summary>
    public double LoadBusy => LoadCpu / Elapsed;
}

/// <summary>Runs an operation over and over by several workers at once, and measures a server while they run.</summary>
internal static class Load
{
    private const int ShownErrors = 3;

    /// <summary>Runs workers, at first unmeasured until the server's code is compiled.</summary>
    /// <param name="server">The server that is measured.</param>
    /// <param name="workers">Each is one operation, repeated one after the other.</param>
    /// <param name="warmUp">The time that is not measured.</param>
    /// <param name="measured">The time that is.</param>
    /// <param name="cancellationToken">Ends it early, without a result.</param>
    public static async Task<LoadResult> RunAsync(
        ServerProcess server,
        IReadOnlyList<Func<CancellationToken, Task>> workers,
        TimeSpan warmUp,
        TimeSpan measured,
        CancellationToken cancellationToken)
    {
        var counts = new Counts();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var own = Process.GetCurrentProcess();
        var ownClock = new CpuClock(own.Id);
        var running = workers.Select(worker => Task.Run(() => RepeatAsync(worker, counts, stop.Token), CancellationToken.None)).ToArray();
        try
        {
            await Task.Delay(warmUp, cancellationToken);
            var (operations, cpu, ownCpu, started) = (counts.Operations, server.Clock.Read(), ownClock.Read(), Stopwatch.GetTimestamp());
            await Task.Delay(measured, cancellationToken);
            return new LoadResult(
                counts.Operations - operations,
                counts.Errors,
                Stopwatch.GetElapsedTime(started),
                server.Clock.Read() - cpu,
                ownClock.Read() - ownCpu,
                server.Threads);
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(running);
        }
    }

    private static async Task RepeatAsync(Func<CancellationToken, Task> operation, Counts counts, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await operation(stop);
                counts.Operation();
            }
            catch (Exception) when (stop.IsCancellationRequested)
            {
                // Cut off at the end: neither done nor failed.
            }
            catch (Exception e)
            {
                counts.Error(e);
            }
        }
    }

    private sealed class Counts
    {
        private long _operations;
        private long _errors;

        public long Operations => Interlocked.Read(ref _operations);

        public long Errors => Interlocked.Read(ref _errors);

        public void Operation() => Interlocked.Increment(ref _operations);

        public void Error(Exception e)
        {
            if (Interlocked.Increment(ref _errors) <= ShownErrors)
            {
                Console.Error.WriteLine(e);
            }
        }
    }
}
