using System.Diagnostics;
using KerberosMessaging.EndToEndTests.Support;

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
