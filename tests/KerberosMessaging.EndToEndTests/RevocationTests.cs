using System.Diagnostics;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.Client;
using KerberosMessaging.EndToEndTests.Support;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.EndToEndTests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>What an admin ends has ended everywhere, and a message server without the auth server goes on.</summary>
public sealed class RevocationTests(RealmFixture fixture) : IClassFixture<RealmFixture>
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 120_000;

    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(1);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public enum Ending
    {
        Session,
        AllSessions,
        Device,
        Disabled,
        Deleted,
        PasswordReset,
    }

    [Theory(Timeout = Patience)]
    [InlineData(Ending.Session)]
    [InlineData(Ending.AllSessions)]
    [InlineData(Ending.Device)]
    [InlineData(Ending.Disabled)]
    [InlineData(Ending.Deleted)]
    [InlineData(Ending.PasswordReset)]
    public async Task A_revocation_cuts_the_open_connection_within_a_second_and_the_living_ticket_is_refused(Ending ending)
    {
        var realm = fixture.Realm;
        await WarmUpAsync(realm);
        var devices = await RawDevice.LogInAsync(realm, 2, Cancel);
        await using var revoked = devices[0];
        await using var bystander = devices[1];
        var server = RawDevice.ServerOf(realm).Id;
        var ticket = await revoked.RequestTicketAsync(server, Cancel);
        var connection = await revoked.ConnectAsync(ticket, Cancel);
        var idle = await revoked.ConnectAsync(Cancel);
        var other = await bystander.ConnectAsync(await bystander.RequestTicketAsync(server, Cancel), Cancel);

        var watch = Stopwatch.StartNew();
        await EndAsync(realm, revoked, ending);
        await connection.Ended.WaitAsync(Cancel);
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, Bound);

        await AssertRefusedAsync(ProtocolError.TicketRefused, () => ticket.PresentAsync(idle, Cancel));
        await revoked.AuthEndedAsync(Cancel);
        await AssertRefusedAsync(ProtocolError.TicketRefused, () => revoked.RequestTicketAsync(server, Cancel));
        await other.RequestAsync<Done>(new AcknowledgeRequest([]), Cancel);
        await (await bystander.RequestTicketAsync(server, Cancel)).PresentAsync(other, Cancel);
    }

    [Fact(Timeout = Patience)]
    public async Task A_disabled_client_is_out_of_its_conversation_and_back_in_it_after_its_next_login()
    {
        var realm = fixture.Realm;
        await WarmUpAsync(realm);
        await using var alice = await Person.JoinAsync(realm, fixture.NewName("alice"), Cancel);
        await using var bob = await Person.JoinAsync(realm, fixture.NewName("bob"), Cancel);
        await using var atBob = Inbox.Open(bob.Client);
        await alice.Client.SendTextAsync(bob.Name, "before", Cancel);
        Assert.Equal("before", await atBob.NextTextAsync(Cancel));
        var bobsConnection = Assert.Single(ConnectionsOf(realm, bob.Name));

        await using var scope = realm.AuthServices.CreateAsyncScope();
        var clients = scope.ServiceProvider.GetRequiredService<ClientAdministration>();
        var client = bobsConnection.Principal!.Client.Value;
        var cut = CutOf(bobsConnection);
        var watch = Stopwatch.StartNew();
        Assert.True(await clients.DisableAsync(client, Origin.System, Cancel));
        await cut;
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, Bound);
        Assert.Equal(MessagingFailure.NotLoggedIn, (await atBob.FailureAsync(Cancel)).Failure);

        // Mail waits for whom it may still come back.
        await alice.Client.SendTextAsync(bob.Name, "meanwhile", Cancel);
        Assert.True(await clients.EnableAsync(client, Origin.System, Cancel));
        await bob.DisposeAsync();
        await using var again = await Person.LoginAsync(realm, bob.Name, "laptop", Cancel);
        Assert.Equal(["meanwhile"], await again.ReadAllAsync(Cancel));
        await again.Client.SendTextAsync(alice.Name, "after", Cancel);
        Assert.Equal(["after"], await alice.ReadAllAsync(Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task Logging_out_everywhere_cuts_the_other_devices_at_once()
    {
        var realm = fixture.Realm;
        await WarmUpAsync(realm);
        await using var laptop = await Person.JoinAsync(realm, fixture.NewName("alice"), Cancel);
        await using var phone = await Person.LoginAsync(realm, laptop.Name, "phone", Cancel);
        await using var atLaptop = Inbox.Open(laptop.Client);
        await Eventually.TrueAsync(
            () => ConnectionsOf(realm, laptop.Name).Any(one => one.Principal!.Device == laptop.Client.Device), Cancel);
        var connection = ConnectionsOf(realm, laptop.Name).First(one => one.Principal!.Device == laptop.Client.Device);

        var cut = CutOf(connection);
        var watch = Stopwatch.StartNew();
        await phone.Client.LogoutAsync(everywhere: true, Cancel);
        await cut;
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, Bound);
        Assert.Equal(MessagingFailure.NotLoggedIn, (await atLaptop.FailureAsync(Cancel)).Failure);
    }

    [Fact(Timeout = Patience)]
    public async Task A_message_server_that_was_away_learns_on_its_return_what_was_revoked()
    {
        await using var realm = await Realm.StartAsync(Cancel);
        var devices = await RawDevice.LogInAsync(realm, 2, Cancel);
        await using var revoked = devices[0];
        await using var bystander = devices[1];
        var server = RawDevice.ServerOf(realm).Id;
        var ticket = await revoked.RequestTicketAsync(server, Cancel);
        var living = await bystander.RequestTicketAsync(server, Cancel);

        await realm.StopMessageAsync(Cancel);
        await EndAsync(realm, revoked, Ending.Session);
        await realm.StartMessageAsync(Cancel);

        var known = realm.MessageServices.GetRequiredService<RevokedTickets>();
        await Eventually.TrueAsync(() => known.Count == 1, Cancel);
        await AssertRefusedAsync(ProtocolError.TicketRefused, () => revoked.ConnectAsync(ticket, Cancel));
        await bystander.ConnectAsync(living, Cancel);
    }

    [Fact(Timeout = Patience)]
    public async Task What_was_revoked_while_the_two_servers_were_parted_cuts_on_their_reunion()
    {
        await using var realm = await Realm.StartAsync(Cancel);
        await using var path = new RecordingProxy { Target = realm.Pin.Port };
        await realm.StopMessageAsync(Cancel);
        await realm.StartMessageAsync(realm.MessagePort, Cancel, $"--Realm:Port={path.Port}");
        var devices = await RawDevice.LogInAsync(realm, 3, Cancel);
        await using var revoked = devices[0];
        await using var bystander = devices[1];
        await using var early = devices[2];
        var server = RawDevice.ServerOf(realm).Id;
        var ticket = await revoked.RequestTicketAsync(server, Cancel);
        var connection = await revoked.ConnectAsync(ticket, Cancel);
        var other = await bystander.ConnectAsync(await bystander.RequestTicketAsync(server, Cancel), Cancel);
        var known = realm.MessageServices.GetRequiredService<RevokedTickets>();
        await EndAsync(realm, early, Ending.Session);
        await Eventually.TrueAsync(() => known.Count == 1, Cancel);

        // A port where nobody listens.
        path.Target = 1;
        AuthConnectionOf(realm, server)!.Close(NoticeKind.ShuttingDown);
        await Eventually.TrueAsync(() => AuthConnectionOf(realm, server) is null, Cancel);
        await EndAsync(realm, revoked, Ending.Session);
        await connection.RequestAsync<Done>(new AcknowledgeRequest([]), Cancel);
        Assert.Equal(1, known.Count);

        path.Target = realm.Pin.Port;
        await connection.Ended.WaitAsync(Cancel);
        await AssertRefusedAsync(ProtocolError.TicketRefused, () => revoked.ConnectAsync(ticket, Cancel));
        await other.RequestAsync<Done>(new AcknowledgeRequest([]), Cancel);
    }

    [Fact(Timeout = Patience)]
    public async Task Without_the_auth_server_a_message_server_goes_on_until_the_tickets_end_and_catches_up_later()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 8, 0, 0, TimeSpan.Zero));
        await using var realm = await Realm.StartAsync(Cancel, RealmSetup.At(clock, "--Auth:ServiceTicketLife=00:10:00"));
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel, options => options with { Time = clock });
        await using var bob = await Person.JoinAsync(realm, "bob", Cancel, options => options with { Time = clock });
        await using var atBob = Inbox.Open(bob.Client);
        await alice.Client.SendTextAsync("bob", "before", Cancel);
        Assert.Equal("before", await atBob.NextTextAsync(Cancel));
        var devices = await RawDevice.LogInAsync(realm, 2, Cancel);
        await using var device = devices[0];
        await using var other = devices[1];
        var server = RawDevice.ServerOf(realm).Id;
        var raw = await device.ConnectAsync(await device.RequestTicketAsync(server, Cancel), Cancel);
        var ticket = await other.RequestTicketAsync(server, Cancel);
        var bobs = CutOf(Assert.Single(ConnectionsOf(realm, "bob")));

        await realm.StopAuthAsync(Cancel);
        clock.Advance(TimeSpan.FromMinutes(5));
        await other.ConnectAsync(ticket, Cancel);
        await raw.RequestAsync<MessageAccepted>(RawDevice.MessageTo(other), Cancel);
        Assert.True(realm.MessageServices.GetRequiredService<Hosting.Admin.ReadinessState>().IsReady);

        await clock.PassesAsync(TimeSpan.FromSeconds(1), () => raw.Ended.IsCompleted && bobs.IsCompleted, Cancel);

        await realm.StartAuthAsync(Cancel);
        await EndAsync(realm, device, Ending.Session);
        var known = realm.MessageServices.GetRequiredService<RevokedTickets>();
        await clock.PassesAsync(TimeSpan.FromMilliseconds(200), () => known.Count == 1, Cancel);
        var sending = alice.Client.SendTextAsync("bob", "after", Cancel);
        await clock.PassesAsync(TimeSpan.FromMilliseconds(50), () => sending.IsCompleted, Cancel);
        await sending;
        var text = atBob.NextTextAsync(Cancel);
        await clock.PassesAsync(TimeSpan.FromMilliseconds(50), () => text.IsCompleted, Cancel);
        Assert.Equal("after", await text);
    }

    [Fact(Timeout = Patience)]
    public async Task A_disabled_message_server_gets_no_tickets_keeps_its_guests_and_comes_back_by_itself()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 8, 0, 0, TimeSpan.Zero));
        await using var realm = await Realm.StartAsync(Cancel, RealmSetup.At(clock));
        await using var device = (await RawDevice.LogInAsync(realm, 1, Cancel))[0];
        var server = RawDevice.ServerOf(realm).Id;
        var connection = await device.ConnectAsync(await device.RequestTicketAsync(server, Cancel), Cancel);
        await Eventually.TrueAsync(() => AuthConnectionOf(realm, server) is not null, Cancel);

        var servers = realm.AuthServices.GetRequiredService<MessageServers>();
        Assert.True(await servers.SetDisabledAsync(server, isDisabled: true, Origin.System, Cancel));
        await Eventually.TrueAsync(() => AuthConnectionOf(realm, server) is null, Cancel);
        await AssertRefusedAsync(ProtocolError.UnknownServer, () => device.RequestTicketAsync(server, Cancel));
        await connection.RequestAsync<Done>(new AcknowledgeRequest([]), Cancel);

        // Asked for and refused again, for some time.
        var refusals = 0;
        await clock.PassesAsync(TimeSpan.FromMilliseconds(500), () => ++refusals > 100, Cancel);
        Assert.Null(AuthConnectionOf(realm, server));
        await connection.RequestAsync<Done>(new AcknowledgeRequest([]), Cancel);

        Assert.True(await servers.SetDisabledAsync(server, isDisabled: false, Origin.System, Cancel));
        await clock.PassesAsync(TimeSpan.FromMilliseconds(500), () => AuthConnectionOf(realm, server) is not null, Cancel);
        await (await device.RequestTicketAsync(server, Cancel)).PresentAsync(connection, Cancel);
    }

    [Fact(Timeout = Patience)]
    public async Task A_message_server_that_moves_is_found_at_its_new_address()
    {
        await using var realm = await Realm.StartAsync(Cancel);
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel);
        await using var bob = await Person.JoinAsync(realm, "bob", Cancel);
        await alice.Client.SendTextAsync("bob", "before", Cancel);
        Assert.Equal(["before"], await bob.ReadAllAsync(Cancel));
        var before = RawDevice.ServerOf(realm);

        await realm.StopMessageAsync(Cancel);
        await realm.StartMessageAsync(port: 0, Cancel, "--Realm:AdvertisedHost=localhost", "--Realm:Name=moved");
        await Eventually.TrueAsync(() => RawDevice.ServerOf(realm).Host == "localhost", Cancel);

        var after = RawDevice.ServerOf(realm);
        Assert.Equal((before.Id, "moved", realm.MessagePort), (after.Id, after.Name, after.Port));
        await using var carol = await Person.JoinAsync(realm, "carol", Cancel);
        await carol.Client.SendTextAsync("bob", "after", Cancel);
        await using var again = await Person.LoginAsync(realm, "bob", "phone", Cancel);
        await carol.Client.SendTextAsync("bob", "to both", Cancel);
        Assert.Equal(["to both"], await again.ReadAllAsync(Cancel));
    }

    // The first time everything is compiled; that is not what is measured.
    private static async Task WarmUpAsync(Realm realm)
    {
        await using var device = (await RawDevice.LogInAsync(realm, 1, Cancel))[0];
        var ticket = await device.RequestTicketAsync(RawDevice.ServerOf(realm).Id, Cancel);
        var connection = await device.ConnectAsync(ticket, Cancel);
        await EndAsync(realm, device, Ending.Session);
        await connection.Ended.WaitAsync(Cancel);
    }

    private static async Task EndAsync(Realm realm, RawDevice device, Ending ending)
    {
        await using var scope = realm.AuthServices.CreateAsyncScope();
        var clients = scope.ServiceProvider.GetRequiredService<ClientAdministration>();
        var client = device.Client.Value;
        switch (ending)
        {
            case Ending.Session:
                Assert.True(await clients.RevokeSessionAsync(device.Session.Value, Origin.System, Cancel));
                break;
            case Ending.AllSessions:
                Assert.Equal(1, await clients.RevokeSessionsAsync(client, Origin.System, Cancel));
                break;
            case Ending.Device:
                var devices = scope.ServiceProvider.GetRequiredService<DeviceService>();
                Assert.True(await devices.RemoveAsync(device.Client, device.Device, "removed", Origin.System, Cancel));
                break;
            case Ending.Disabled:
                Assert.True(await clients.DisableAsync(client, Origin.System, Cancel));
                break;
            case Ending.Deleted:
                Assert.True(await clients.DeleteAsync(client, Origin.System, Cancel));
                break;
            default:
                Assert.NotNull(await clients.MakeResetTokenAsync(client, Origin.System, Cancel));
                break;
        }
    }

    private static async Task AssertRefusedAsync(ProtocolError error, Func<Task> request) =>
        Assert.Equal(error, (await Assert.ThrowsAsync<RequestRefusedException>(request)).Error);

    // To be called before the end of the connection.
    private static Task CutOf(WireConnection connection)
    {
        var cut = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        connection.Closing.Register(cut.SetResult);
        return cut.Task.WaitAsync(Cancel);
    }

    private static WireConnection? AuthConnectionOf(Realm realm, ServerId server) =>
        ((HostedServer)realm.Auth).Connections.All.SingleOrDefault(connection => connection.Server == server);

    private static List<WireConnection> ConnectionsOf(Realm realm, string name) =>
        [.. ((HostedServer)realm.Message).Connections.All.Where(connection => connection.Principal?.ClientName == name)];
}
