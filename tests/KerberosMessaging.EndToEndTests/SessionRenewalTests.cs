using KerberosMessaging.Client;
using KerberosMessaging.EndToEndTests.Support;
using KerberosMessaging.Hosting.Wire;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.EndToEndTests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>Connections outlive the tickets that they were opened with, at both servers.</summary>
public sealed class SessionRenewalTests
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 120_000;

    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2030, 1, 1, 8, 0, 0, TimeSpan.Zero));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = Patience)]
    public async Task A_connection_stays_up_across_the_expiry_of_three_service_tickets()
    {
        // By real clocks: a fifth of this life is what a busy machine has to renew in time.
        var life = TimeSpan.FromSeconds(10);
        await using var realm = await Realm.StartAsync(
            Cancel, new RealmSetup { Auth = ["--Auth:ServiceTicketLife=00:00:10"] });
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel);
        await using var bob = await Person.JoinAsync(realm, "bob", Cancel);
        await using var atAlice = Inbox.Open(alice.Client);
        await using var atBob = Inbox.Open(bob.Client);
        await TalkAsync("before");
        var opened = DateTimeOffset.UtcNow;
        var connections = At(realm.Message, "alice", "bob");
        var sessions = connections.ConvertAll(static connection => connection.Session);
        Assert.Equal(2, connections.Count);

        await Eventually.TrueAsync(() => DateTimeOffset.UtcNow - opened > 3 * life, Cancel);
        await TalkAsync("after three expiries");

        Assert.Equal(sessions, At(realm.Message, "alice", "bob").ConvertAll(static connection => connection.Session));
        Assert.All(connections, connection => Assert.False(connection.Closing.IsCancellationRequested));

        async Task TalkAsync(string text)
        {
            await alice.Client.SendTextAsync("bob", text, Cancel);
            await bob.Client.SendTextAsync("alice", text, Cancel);
            Assert.Equal(text, await atBob.NextTextAsync(Cancel));
            Assert.Equal(text, await atAlice.NextTextAsync(Cancel));
        }
    }

    [Fact(Timeout = Patience)]
    public async Task A_client_that_asks_for_nothing_keeps_its_login_and_its_channel_to_the_auth_server()
    {
        await using var realm = await Realm.StartAsync(
            Cancel, RealmSetup.At(_clock, "--Auth:TicketLife=00:10:00", "--Auth:RenewableLife=02:00:00"));
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel, Clocked);
        var connection = Assert.Single(At(realm.Auth, "alice"));
        var first = Granting(alice);

        // Four ticket-granting tickets end, each after eight tenths of its life were waited.
        for (var i = 0; i < 5; i++)
        {
            var ends = connection.Principal!.EndsAt;
            _clock.Advance(TimeSpan.FromMinutes(8.5));
            await Eventually.TrueAsync(() => connection.Principal!.EndsAt > ends, Cancel);

            // The renewal came unasked. Its answer tells the client the realm's time, so it must have come before the clock leaps
            // again; a request is sent only after that.
            await alice.Client.GetContactAsync("alice", Cancel);
        }

        Assert.Equal([connection], At(realm.Auth, "alice"));
        var last = Granting(alice);
        Assert.True(last.EndsAt > first.EndsAt.AddMinutes(30));
        Assert.Equal(first.RenewableUntil, last.RenewableUntil);

        // It is the same channel that is asked now, under the keys that the tickets mixed in.
        await alice.Client.GetContactAsync("alice", Cancel);
        Assert.Equal([connection], At(realm.Auth, "alice"));
    }

    [Fact(Timeout = Patience)]
    public async Task A_channel_to_the_auth_server_that_ended_with_its_ticket_is_opened_again()
    {
        await using var realm = await Realm.StartAsync(
            Cancel, RealmSetup.At(_clock, "--Auth:TicketLife=00:10:00", "--Auth:RenewableLife=02:00:00"));
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel, Clocked);
        var before = Assert.Single(At(realm.Auth, "alice"));

        // Another program on the same store renews the ticket, and presents it on its own channel alone.
        await using (var other = alice.OpenAnother())
        {
            _clock.Advance(TimeSpan.FromMinutes(8.5));
            await Eventually.TrueAsync(() => Granting(alice).StartsAt > new DateTimeOffset(2030, 1, 1, 8, 8, 0, TimeSpan.Zero), Cancel);
            await other.GetContactAsync("alice", Cancel);
        }

        await Eventually.TrueAsync(
            () =>
            {
                _clock.Advance(TimeSpan.FromSeconds(30));
                return before.Closing.IsCancellationRequested || before.Principal!.EndsAt > _clock.GetUtcNow().AddMinutes(5);
            },
            Cancel);
        await alice.Client.GetContactAsync("alice", Cancel);
        Assert.Single(At(realm.Auth, "alice"));
    }

    [Fact(Timeout = Patience)]
    public async Task A_renewal_that_finds_the_auth_server_away_is_tried_until_it_is_back()
    {
        await using var realm = await Realm.StartAsync(
            Cancel, RealmSetup.At(_clock, "--Auth:TicketLife=00:10:00", "--Auth:RenewableLife=02:00:00"));
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel, Clocked);
        var first = Granting(alice);
        await realm.StopAuthAsync(Cancel);
        _clock.Advance(TimeSpan.FromMinutes(8.5));
        await realm.StartAuthAsync(Cancel);

        await Eventually.TrueAsync(
            () =>
            {
                _clock.Advance(TimeSpan.FromMilliseconds(50));
                return Granting(alice).EndsAt > first.EndsAt;
            },
            Cancel);

        Assert.True(_clock.GetUtcNow() < first.EndsAt);
    }

    private MessagingOptions Clocked(MessagingOptions options) => options with { Time = _clock };

    private static TicketInfo Granting(Person person) => person.Client.ListTickets()[0];

    private static List<WireConnection> At(IRealmServer server, params string[] names) => [.. ((HostedServer)server)
        .Connections.All
        .Where(connection => names.Contains(connection.Principal?.ClientName))
        .OrderBy(static connection => connection.Principal!.ClientName)];
}
