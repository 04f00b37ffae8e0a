using KerberosMessaging.Client;
using KerberosMessaging.EndToEndTests.Support;
using KerberosMessaging.Hosting.Wire;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.EndToEndTests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>Only servers judge tickets, so a client's own clock may be wrong.</summary>
public sealed class ClockTests
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 60_000;

    private static readonly DateTimeOffset Start = new(2030, 1, 1, 8, 0, 0, TimeSpan.Zero);

    private readonly FakeTimeProvider _servers = new(Start);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory(Timeout = Patience)]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task A_client_whose_clock_is_a_day_off_logs_in_talks_renews_and_comes_back(int days)
    {
        var wrong = new FakeTimeProvider(Start.AddDays(days));
        await using var realm = await Realm.StartAsync(
            Cancel, RealmSetup.At(_servers, "--Auth:TicketLife=00:30:00", "--Auth:ServiceTicketLife=00:10:00"));
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel, options => options with { Time = wrong });
        await using var bob = await Person.JoinAsync(realm, "bob", Cancel, options => options with { Time = _servers });
        await using (var atAlice = Inbox.Open(alice.Client))
        {
            await TalkAsync(atAlice, "at once");
            var connection = ConnectionOf(realm, "alice");
            for (var i = 0; i < 5; i++)
            {
                var ends = connection.Principal!.EndsAt;
                // The servers first: the client learns their time with each ticket, and asks when its own clock moves.
                _servers.Advance(TimeSpan.FromMinutes(9));
                wrong.Advance(TimeSpan.FromMinutes(9));
                await Eventually.TrueAsync(() => connection.Principal!.EndsAt > ends, Cancel);
            }

            await TalkAsync(atAlice, "after both kinds of ticket ended");
            Assert.Equal(connection, ConnectionOf(realm, "alice"));
        }

        // Without a handshake yet, a client started anew takes its own clock for right: the cached service ticket has ended.
        await alice.Client.DisposeAsync();
        wrong.Advance(TimeSpan.FromMinutes(11));
        _servers.Advance(TimeSpan.FromMinutes(11));
        await alice.ReopenAsync();
        await using var again = Inbox.Open(alice.Client);
        await TalkAsync(again, "after a new start");

        async Task TalkAsync(Inbox atAlice, string text)
        {
            await alice.Client.SendTextAsync("bob", text, Cancel);
            await bob.Client.SendTextAsync("alice", text, Cancel);
            Assert.Equal(text, await atAlice.NextTextAsync(Cancel));
            Assert.Equal([text], await bob.ReadAllAsync(Cancel));
        }
    }

    private static WireConnection ConnectionOf(Realm realm, string name) => ((HostedServer)realm.Message)
        .Connections.All.Single(connection => connection.Principal?.ClientName == name);
}
