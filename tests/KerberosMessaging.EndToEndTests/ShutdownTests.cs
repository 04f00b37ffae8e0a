using System.Diagnostics;
using KerberosMessaging.EndToEndTests.Support;
using KerberosMessaging.Hosting.Wire;
using Microsoft.Extensions.DependencyInjection;

namespace KerberosMessaging.EndToEndTests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

public sealed class ShutdownTests
{
    private const int Clients = 5;

    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 120_000;

    // What the system promises its operators.
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(2);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = Patience)]
    public async Task Either_server_ends_at_once_when_it_is_told_to_although_idle_clients_are_connected()
    {
        await using var realm = await Realm.StartProcessesAsync(Cancel);
        var people = new List<Person>();
        var inboxes = new List<Inbox>();
        try
        {
            for (var i = 0; i < Clients; i++)
            {
                people.Add(await Person.JoinAsync(realm, $"person{i}", Cancel, static options => options with
                {
                    FirstReconnectDelay = TimeSpan.FromMinutes(1),
                    LongestReconnectDelay = TimeSpan.FromMinutes(1),
                }));
                inboxes.Add(Inbox.Open(people[i].Client));
            }

            // Around the circle once, so that all are known to receive.
            for (var i = 0; i < Clients; i++)
            {
                var next = (i + 1) % Clients;
                await people[i].Client.SendTextAsync(people[next].Name, "are you there?", Cancel);
                Assert.Equal("are you there?", await inboxes[next].NextTextAsync(Cancel));
            }

            await EndsInTimeAsync((ServerProcess)realm.Message);
            await EndsInTimeAsync((ServerProcess)realm.Auth);
        }
        finally
        {
            foreach (var closing in inboxes.Cast<IAsyncDisposable>().Concat(people))
            {
                await closing.DisposeAsync();
            }
        }
    }

    [Fact(Timeout = Patience)]
    public async Task Nothing_is_lost_or_doubled_when_the_servers_are_drained_and_started_again_under_a_conversation()
    {
        const int Messages = 60;
        await using var realm = await Realm.StartAsync(Cancel);
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel);
        await using var bob = await Person.JoinAsync(realm, "bob", Cancel);
        await using var inbox = Inbox.Open(bob.Client);
        await alice.Client.SendTextAsync(bob.Name, "0", Cancel);
        Assert.Equal("0", await inbox.NextTextAsync(Cancel));
        var link = ((HostedServer)realm.Auth).Connections;

        var sending = Task.Run(
            async () =>
            {
                for (var i = 1; i <= Messages; i++)
                {
                    await alice.Client.SendTextAsync(bob.Name, $"{i}", Cancel);
                }
            },
            Cancel);
        var received = await inbox.NextTextsAsync(Messages / 3, Cancel);
        await realm.StopMessageAsync(Cancel);
        await realm.StartMessageAsync(Cancel);
        received.AddRange(await inbox.NextTextsAsync(Messages / 3, Cancel));

        // The auth server only drains and comes back: the message server's connection to it is made anew.
        var drain = realm.AuthServices.GetRequiredService<DrainService>();
        drain.Start(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5));
        await Eventually.TrueAsync(() => drain.State == DrainState.Drained, Cancel);
        Assert.True(drain.TryUndo());
        await Eventually.TrueAsync(() => link.All.Any(static connection => connection.Server is not null), Cancel);
        received.AddRange(await inbox.NextTextsAsync(Messages / 3, Cancel));
        await sending;

        Assert.Equal(Enumerable.Range(1, Messages).Select(static i => $"{i}"), received);
    }

    private static async Task EndsInTimeAsync(ServerProcess server)
    {
        var watch = Stopwatch.StartNew();
        server.Run.Terminate();
        Assert.Equal(0, await server.Run.WaitForExitAsync(Cancel));
        watch.Stop();
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, MostTime);
        Assert.Empty(server.Run.Errors.All);
    }
}
