using System.Diagnostics;
using KerberosMessaging.Benchmarks.Servers;
using KerberosMessaging.Transport;

namespace KerberosMessaging.Benchmarks.Relay;

/// <summary>
/// What it costs a message server to relay messages, to keep them for those who are away, and to hold connections. It runs as
/// shipped, in a process and on a CPU of its own, with every message on disk before it is accepted. The load speaks the real
/// protocol; only what is inside the envelopes is random.
/// </summary>
internal static class RelayBenchmark
{
    // Compiled in steps under load: after some seconds the code is what it will be.
    private const int LeastWarmUpSeconds = 6;

    // For a pace to become steady.
    private static readonly TimeSpan PaceTime = TimeSpan.FromSeconds(1);

    // For a server to finish what it does after load: compiling, closing, collecting.
    private static readonly TimeSpan RestTime = TimeSpan.FromSeconds(5);

    private const int IdleWarmUpConnections = 500;
    private const int ConcurrentConnects = 8;

    public static async Task<int> RunAsync(string[] args)
    {
        if (RelayOptions.TryParse(args) is not { } options)
        {
            await Console.Error.WriteLineAsync(RelayOptions.Usage);
            return 2;
        }

        return await ServerBenchmark.RunAsync(async stop =>
        {
            await using var realm = await ServerRealm.StartAsync(stop, hasLargeMailboxes: options.Offence == Offence.None);
            var report = options.Workload switch
            {
                Workload.Online => await OnlineAsync(realm, options, stop),
                Workload.Offline => await OfflineAsync(realm, options, stop),
                _ => await IdleAsync(realm, options, stop),
            };
            report.Print(Console.Out);
            if (options.Json is not null)
            {
                await File.WriteAllTextAsync(options.Json, report.ToJson(), stop);
            }

            return report.IsSound ? 0 : 1;
        });
    }

    /// <summary>A: every message is delivered at once, and acknowledged.</summary>
    private static async Task<RelayReport> OnlineAsync(ServerRealm realm, RelayOptions options, CancellationToken cancellationToken)
    {
        var run = new RelayRun();
        var seconds = TimeSpan.FromSeconds(options.Seconds);
        await using var pairs = await RelayPairs.StartAsync(realm, options.Connections, run, cancellationToken);
        await pairs.WarmUpAsync(TimeSpan.FromSeconds(LeastWarmUpSeconds), cancellationToken);
        await pairs.StoreForOthersAsync(options.Waiting, cancellationToken);

        await using var offender = await Offender.StartAsync(realm, options.Offence, cancellationToken);
        await Console.Error.WriteLineAsync("measuring …");
        PhaseResult online;
        using (options.Rate == 0 ? null : new Pacer(pairs.Senders, options.Rate))
        {
            if (options.Rate == 0)
            {
                pairs.SendAtOnce(long.MaxValue);
            }

            await run.DelayAsync(PaceTime, cancellationToken);
            var (delivered, before) = (pairs.Delivered, Usage.Of(realm.Message));
            var from = Stopwatch.GetTimestamp();
            run.Measure(from, from + (long)(seconds.TotalSeconds * Stopwatch.Frequency));
            await run.DelayAsync(seconds, cancellationToken);
            online = before.Since(pairs.Delivered - delivered);
            pairs.SendAtOnce(0);
        }

        var resident = realm.Message.ResidentBytes;
        await pairs.SettleAsync(cancellationToken);
        return RelayReport.Of(options, pairs, resident) with { Online = online };
    }

    /// <summary>B: messages are stored for recipients who are away, and fetched by them all at once.</summary>
    private static async Task<RelayReport> OfflineAsync(ServerRealm realm, RelayOptions options, CancellationToken cancellationToken)
    {
        var run = new RelayRun();
        await using var pairs = await RelayPairs.StartAsync(realm, options.Connections, run, cancellationToken);
        await pairs.WarmUpAsync(TimeSpan.FromSeconds(LeastWarmUpSeconds), cancellationToken);
        await pairs.DisconnectRecipientsAsync();
        await pairs.StoreForOthersAsync(options.Waiting, cancellationToken);

        await Console.Error.WriteLineAsync("measuring the store …");
        var (accepted, before) = (pairs.Accepted, Usage.Of(realm.Message));
        run.Measure(0, long.MaxValue);
        await pairs.StoreAsync(options.Messages, cancellationToken);
        var store = before.Since(pairs.Accepted - accepted);
        run.Measure(long.MaxValue, long.MaxValue);

        await Console.Error.WriteLineAsync("measuring the drain …");
        var delivered = pairs.Delivered;
        await pairs.ConnectRecipientsAsync(cancellationToken, () => before = Usage.Of(realm.Message));
        await pairs.SettleAsync(cancellationToken);
        var drain = before.Since(pairs.Delivered - delivered);
        return RelayReport.Of(options, pairs, realm.Message.ResidentBytes) with { Store = store, Drain = drain };
    }

    /// <summary>C: connections of different devices that do nothing.</summary>
    private static async Task<RelayReport> IdleAsync(ServerRealm realm, RelayOptions options, CancellationToken cancellationToken)
    {
        await Console.Error.WriteLineAsync($"registering {options.Connections} clients …");
        var tickets = new HeldTicket[options.Connections];
        await ForEachAsync(tickets.Length, async (i, stop) =>
        {
            using var account = await BenchmarkAccount.RegisterAsync(realm, $"client{i}", stop);
            tickets[i] = await account.LoginForServiceAsync(stop);
        }, cancellationToken);

        // Before is a server that has served: its code is loaded, and its heap has had its first growth.
        await Console.Error.WriteLineAsync("warming up …");
        await ForEachAsync(Math.Min(IdleWarmUpConnections, tickets.Length), async (i, stop) =>
        {
            await using var connection = await realm.ConnectToMessageAsync(stop);
            await tickets[i].PresentAsync(connection, stop);
        }, cancellationToken);
        await Task.Delay(RestTime, cancellationToken);

        await Console.Error.WriteLineAsync("connecting …");
        var connections = new RequestConnection?[tickets.Length];
        try
        {
            var before = realm.Message.ResidentBytes;
            await ForEachAsync(tickets.Length, async (i, stop) =>
            {
                var connection = connections[i] = await realm.ConnectToMessageAsync(stop);
                await tickets[i].PresentAsync(connection, stop);
            }, cancellationToken);
            await Task.Delay(RestTime, cancellationToken);
            if (connections.Count(static connection => connection!.Ended.IsCompleted) is > 0 and var ended)
            {
                throw new InvalidOperationException($"{ended} idle connections have ended.");
            }

            var after = realm.Message.ResidentBytes;
            return new RelayReport(options, after) { BytesPerConnection = (double)(after - before) / connections.Length };
        }
        finally
        {
            foreach (var connection in connections)
            {
                await (connection?.DisposeAsync() ?? ValueTask.CompletedTask);
            }

            Array.ForEach(tickets, static ticket => ticket.Dispose());
        }
    }

    private static Task ForEachAsync(int count, Func<int, CancellationToken, ValueTask> body, CancellationToken cancellationToken) =>
        Parallel.ForEachAsync(
            Enumerable.Range(0, count),
            new ParallelOptions { MaxDegreeOfParallelism = ConcurrentConnects, CancellationToken = cancellationToken },
            body);
}
