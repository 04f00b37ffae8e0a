using KerberosMessaging.Benchmarks.Servers;
using KerberosMessaging.Transport;

namespace KerberosMessaging.Benchmarks.Auth;

/// <summary>
/// What the ways into a realm cost its servers: handshake, login (AS exchange), service ticket (TGS exchange) and its
/// presentation (AP exchange). Both servers run as shipped, in processes and on a CPU of their own; counted is their CPU
/// time, which the load's own cost cannot blur.
/// </summary>
internal static class AuthBenchmark
{
    // Compiled in steps under load: after some seconds the code is what it will be.
    private const int LeastWarmUpSeconds = 6;

    // TGS exchanges that wait on one connection at once.
    private const int PipelinedExchanges = 4;

    public static async Task<int> RunAsync(string[] args)
    {
        if (AuthOptions.TryParse(args) is not { } options)
        {
            await Console.Error.WriteLineAsync(AuthOptions.Usage);
            return 2;
        }

        return await ServerBenchmark.RunAsync(async stop =>
        {
            var report = await MeasureAsync(options, stop);
            report.Print(Console.Out);
            if (options.Json is not null)
            {
                await File.WriteAllTextAsync(options.Json, report.ToJson(), stop);
            }

            return report.Errors == 0 ? 0 : 1;
        });
    }

    private static async Task<AuthReport> MeasureAsync(AuthOptions options, CancellationToken cancellationToken)
    {
        await using var realm = await ServerRealm.StartAsync(cancellationToken);
        var accounts = new List<BenchmarkAccount>();
        try
        {
            for (var i = 0; i < options.Connections; i++)
            {
                accounts.Add(await BenchmarkAccount.RegisterAsync(realm, $"client{i}", cancellationToken));
            }

            return new AuthReport(
                options,
                await HandshakesAsync(realm, options, cancellationToken),
                await LoginsAsync(realm, accounts, options, cancellationToken),
                await ServiceTicketsAsync(realm, accounts, options, cancellationToken),
                await PresentationsAsync(realm, accounts, options, cancellationToken),
                realm.Auth.PeakMemoryMiB,
                realm.Message.PeakMemoryMiB);
        }
        finally
        {
            accounts.ForEach(static account => account.Dispose());
        }
    }

    /// <summary>TCP connect, channel handshake, close.</summary>
    private static Task<LoadResult> HandshakesAsync(ServerRealm realm, AuthOptions options, CancellationToken cancellationToken) =>
        RunAsync(
            "handshakes",
            realm.Auth,
            Enumerable.Repeat<Func<CancellationToken, Task>>(
                async stop =>
                {
                    await using var connection = await realm.ConnectToAuthAsync(stop);
                },
                options.Connections),
            options,
            cancellationToken);

    /// <summary>TCP connect, channel handshake, OPAQUE, ticket-granting ticket, close.</summary>
    private static Task<LoadResult> LoginsAsync(
        ServerRealm realm, List<BenchmarkAccount> accounts, AuthOptions options, CancellationToken cancellationToken) =>
        RunAsync(
            "logins",
            realm.Auth,
            accounts.Select(account => (Func<CancellationToken, Task>)(async stop =>
            {
                await using var connection = await realm.ConnectToAuthAsync(stop);
                using var ticket = await account.LoginAsync(connection, stop);
            })),
            options,
            cancellationToken);

    /// <summary>TGS exchanges, several at once on each of the open, signed-in channels.</summary>
    private static async Task<LoadResult> ServiceTicketsAsync(
        ServerRealm realm, List<BenchmarkAccount> accounts, AuthOptions options, CancellationToken cancellationToken)
    {
        var connections = new List<RequestConnection>();
        var workers = new List<Func<CancellationToken, Task>>();
        try
        {
            foreach (var account in accounts)
            {
                var connection = await realm.ConnectToAuthAsync(cancellationToken);
                connections.Add(connection);
                var granting = await account.LoginAsync(connection, cancellationToken);
                workers.AddRange(Enumerable.Repeat<Func<CancellationToken, Task>>(
                    async stop =>
                    {
                        using var ticket = await account.RequestServiceTicketAsync(connection, granting, stop);
                    },
                    PipelinedExchanges));
            }

            return await RunAsync("service tickets", realm.Auth, workers, options, cancellationToken);
        }
        finally
        {
            foreach (var connection in connections)
            {
                await connection.DisposeAsync();
            }
        }
    }

    /// <summary>TCP connect to the message server, channel handshake, AP exchange with a ticket that is at hand, close.</summary>
    private static async Task<LoadResult> PresentationsAsync(
        ServerRealm realm, List<BenchmarkAccount> accounts, AuthOptions options, CancellationToken cancellationToken)
    {
        var workers = new List<Func<CancellationToken, Task>>();
        foreach (var account in accounts)
        {
            await using var toAuth = await realm.ConnectToAuthAsync(cancellationToken);
            using var granting = await account.LoginAsync(toAuth, cancellationToken);
            var ticket = await account.RequestServiceTicketAsync(toAuth, granting, cancellationToken);
            workers.Add(async stop =>
            {
                await using var connection = await realm.ConnectToMessageAsync(stop);
                await ticket.PresentAsync(connection, stop);
            });
        }

        return await RunAsync("presented tickets", realm.Message, workers, options, cancellationToken);
    }

    private static async Task<LoadResult> RunAsync(
        string what,
        ServerProcess server,
        IEnumerable<Func<CancellationToken, Task>> workers,
        AuthOptions options,
        CancellationToken cancellationToken)
    {
        await Console.Error.WriteLineAsync($"measuring {what} …");
        return await Load.RunAsync(
            server,
            [.. workers],
            TimeSpan.FromSeconds(Math.Max(LeastWarmUpSeconds, options.Seconds / 2)),
            TimeSpan.FromSeconds(options.Seconds),
            cancellationToken);
    }
}
