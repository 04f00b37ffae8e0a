using KerberosMessaging.Client;
using KerberosMessaging.EndToEndTests.Support;
using KerberosMessaging.Hosting.Wire;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.EndToEndTests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>Tickets end by the servers' clock, which is the test's; clients renew them unasked.</summary>
public sealed class TicketRenewalTests
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 30_000;

    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2030, 1, 1, 8, 0, 0, TimeSpan.Zero));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = Patience)]
    public async Task A_receiver_stays_on_its_connection_while_its_tickets_end_one_after_the_other()
    {
        await using var realm = await Realm.StartAsync(
            Cancel, RealmSetup.At(_clock, "--Auth:TicketLife=00:30:00", "--Auth:ServiceTicketLife=00:10:00"));
        await using var alice = await JoinAsync(realm, "alice");
        await using var bob = await JoinAsync(realm, "bob");
        await using var atBob = Inbox.Open(bob.Client);
        await alice.Client.SendTextAsync(bob.Name, "hello", Cancel);
        Assert.Equal("hello", await atBob.NextTextAsync(Cancel));
        var connections = ConnectionsOf(realm, "alice", "bob");
        var firstLogin = Granting(bob);

        // Five service tickets and two ticket-granting tickets end.
        for (var i = 0; i < 6; i++)
        {
            var ends = connections.ConvertAll(static connection => connection.Principal!.EndsAt);
            _clock.Advance(TimeSpan.FromMinutes(9));
            await Eventually.TrueAsync(
                () => connections.Zip(ends).All(static pair => pair.First.Principal!.EndsAt > pair.Second), Cancel);
            await alice.Client.SendTextAsync(bob.Name, $"after {i}", Cancel);
            Assert.Equal($"after {i}", await atBob.NextTextAsync(Cancel));
        }

        Assert.Equal(connections, ConnectionsOf(realm, "alice", "bob"));
        var lastLogin = Granting(bob);
        Assert.True(lastLogin.EndsAt - firstLogin.EndsAt > TimeSpan.FromMinutes(30));
        Assert.Equal(firstLogin.RenewableUntil, lastLogin.RenewableUntil);
    }

    [Fact(Timeout = Patience)]
    public async Task A_login_that_can_be_renewed_no_more_ends_receiving_and_sending()
    {
        await using var realm = await Realm.StartAsync(
            Cancel, RealmSetup.At(_clock, "--Auth:TicketLife=00:20:00", "--Auth:RenewableLife=00:20:00"));
        await using var alice = await JoinAsync(realm, "alice");
        await using var bob = await JoinAsync(realm, "bob");
        await using var atBob = Inbox.Open(bob.Client);
        await alice.Client.SendTextAsync(bob.Name, "hello", Cancel);
        Assert.Equal("hello", await atBob.NextTextAsync(Cancel));

        _clock.Advance(TimeSpan.FromMinutes(21));

        Assert.Equal(MessagingFailure.NotLoggedIn, (await WhileTimePassesAsync(atBob.FailureAsync(Cancel))).Failure);
        var e = await Assert.ThrowsAsync<MessagingException>(
            () => WhileTimePassesAsync(alice.Client.SendTextAsync(bob.Name, "too late", Cancel)));
        Assert.Equal(MessagingFailure.NotLoggedIn, e.Failure);
    }

    [Fact(Timeout = Patience)]
    public async Task A_client_comes_back_with_the_ticket_it_has_while_the_auth_server_is_away()
    {
        await using var realm = await Realm.StartAsync(Cancel, RealmSetup.At(_clock, "--Auth:ServiceTicketLife=00:10:00"));
        await using var bob = await JoinAsync(realm, "bob");
        await using var atBob = Inbox.Open(bob.Client);
        await Eventually.TrueAsync(() => ConnectionsOf(realm, "bob").Count == 1, Cancel);
        await realm.StopAuthAsync(Cancel);

        // Old enough to be renewed, which fails; good for another minute.
        _clock.Advance(TimeSpan.FromMinutes(9));
        await realm.StopMessageAsync(Cancel);
        await realm.StartMessageAsync(Cancel);

        await WhileTimePassesAsync(Eventually.TrueAsync(() => ConnectionsOf(realm, "bob").Count == 1, Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task A_client_whose_own_clock_is_wrong_by_years_renews_all_the_same()
    {
        var wrong = new FakeTimeProvider(new DateTimeOffset(1999, 12, 31, 23, 59, 0, TimeSpan.Zero));
        await using var realm = await Realm.StartAsync(Cancel, RealmSetup.At(_clock, "--Auth:ServiceTicketLife=00:10:00"));
        await using var bob = await Person.JoinAsync(realm, "bob", Cancel, options => options with { Time = wrong });
        await using var atBob = Inbox.Open(bob.Client);
        await Eventually.TrueAsync(() => ConnectionsOf(realm, "bob").Count == 1, Cancel);
        var connections = ConnectionsOf(realm, "bob");

        for (var i = 0; i < 3; i++)
        {
            var ends = connections[0].Principal!.EndsAt;
            wrong.Advance(TimeSpan.FromMinutes(9));
            _clock.Advance(TimeSpan.FromMinutes(9));
            await Eventually.TrueAsync(() => connections[0].Principal!.EndsAt > ends, Cancel);
        }

        Assert.Equal(connections, ConnectionsOf(realm, "bob"));
    }

    [Fact(Timeout = Patience)]
    public async Task A_session_that_was_revoked_from_another_device_ends()
    {
        await using var realm = await Realm.StartAsync(Cancel, RealmSetup.At(_clock, "--Auth:ServiceTicketLife=00:10:00"));
        await using var laptop = await JoinAsync(realm, "alice");
        await using var phone = await Person.LoginAsync(realm, "alice", "phone", Cancel, Clocked);
        await using var atLaptop = Inbox.Open(laptop.Client);
        await Eventually.TrueAsync(() => ConnectionsOf(realm, "alice").Any(
            connection => connection.Principal!.Device == laptop.Client.Device), Cancel);

        await phone.Client.LogoutAsync(everywhere: true, Cancel);

        // No new ticket from now on; the last one ends by itself.
        await Eventually.TrueAsync(
            () =>
            {
                _clock.Advance(TimeSpan.FromMinutes(1));
                return ConnectionsOf(realm, "alice").Count == 0;
            },
            Cancel);
        Assert.Equal(MessagingFailure.NotLoggedIn, (await WhileTimePassesAsync(atLaptop.FailureAsync(Cancel))).Failure);
    }

    private Task<Person> JoinAsync(Realm realm, string name) => Person.JoinAsync(realm, name, Cancel, Clocked);

    // Clients wait between their tries by this clock too.
    private async Task<T> WhileTimePassesAsync<T>(Task<T> task)
    {
        await WhileTimePassesAsync((Task)task);
        return await task;
    }

    private async Task WhileTimePassesAsync(Task task)
    {
        await Eventually.TrueAsync(
            () =>
            {
                _clock.Advance(TimeSpan.FromMilliseconds(50));
                return task.IsCompleted;
            },
            Cancel);
        await task;
    }

    private MessagingOptions Clocked(MessagingOptions options) => options with { Time = _clock };

    private static TicketInfo Granting(Person person) => person.Client.ListTickets()[0];

    private static List<WireConnection> ConnectionsOf(Realm realm, params string[] names) => [.. ((HostedServer)realm.Message)
        .Connections.All
        .Where(connection => names.Contains(connection.Principal?.ClientName))
        .OrderBy(static connection => connection.Principal!.ClientName)];
}
