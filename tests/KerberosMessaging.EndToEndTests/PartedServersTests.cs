using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Cryptography;
using KerberosMessaging.EndToEndTests.Support;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.EndToEndTests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>Message server and auth server without each other, for a while, and together again.</summary>
public sealed class PartedServersTests
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 120_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

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
        await revoked.EndAsync(Ending.Session, Cancel);
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
        await early.EndAsync(Ending.Session, Cancel);
        await Eventually.TrueAsync(() => known.Count == 1, Cancel);

        // A port where nobody listens.
        path.Target = 1;
        AuthConnectionOf(realm, server)!.Close(NoticeKind.ShuttingDown);
        await Eventually.TrueAsync(() => AuthConnectionOf(realm, server) is null, Cancel);
        await revoked.EndAsync(Ending.Session, Cancel);
        await connection.RequestAsync<Done>(new AcknowledgeRequest([], 0), Cancel);
        Assert.Equal(1, known.Count);

        path.Target = realm.Pin.Port;
        await connection.Ended.WaitAsync(Cancel);
        await AssertRefusedAsync(ProtocolError.TicketRefused, () => revoked.ConnectAsync(ticket, Cancel));
        await other.RequestAsync<Done>(new AcknowledgeRequest([], 0), Cancel);
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
        Assert.True(realm.MessageServices.GetRequiredService<ReadinessState>().IsReady);

        await clock.PassesAsync(TimeSpan.FromSeconds(1), () => raw.Ended.IsCompleted && bobs.IsCompleted, Cancel);

        await realm.StartAuthAsync(Cancel);
        await device.EndAsync(Ending.Session, Cancel);
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
        Assert.Equal(AdminChange.Done, await servers.SetDisabledAsync(server, isDisabled: true, Precondition.None, Origin.System, Cancel));
        await Eventually.TrueAsync(() => AuthConnectionOf(realm, server) is null, Cancel);
        await AssertRefusedAsync(ProtocolError.UnknownServer, () => device.RequestTicketAsync(server, Cancel));
        await connection.RequestAsync<Done>(new AcknowledgeRequest([], 0), Cancel);

        // Asked for and refused again, for some time.
        var refusals = 0;
        await clock.PassesAsync(TimeSpan.FromMilliseconds(500), () => ++refusals > 100, Cancel);
        Assert.Null(AuthConnectionOf(realm, server));
        await connection.RequestAsync<Done>(new AcknowledgeRequest([], 0), Cancel);

        Assert.Equal(AdminChange.Done, await servers.SetDisabledAsync(server, isDisabled: false, Precondition.None, Origin.System, Cancel));
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
        await bob.ReopenAsync();
        await using var again = await Person.LinkAsync(realm, bob, "phone", Cancel);
        await carol.Client.SendTextAsync("bob", "to both", Cancel);
        Assert.Equal(["to both"], await again.ReadAllAsync(Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task A_message_server_whose_id_was_enrolled_by_another_takes_it_back_with_a_token_and_keeps_its_mail()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 8, 0, 0, TimeSpan.Zero));
        await using var realm = await Realm.StartAsync(Cancel, RealmSetup.At(clock));
        var tokenFile = realm.Folder.File("anew");
        await realm.StopMessageAsync(Cancel);
        await realm.StartMessageAsync(realm.MessagePort, Cancel, $"--Realm:EnrolmentTokenFile={tokenFile}");
        var devices = await RawDevice.LogInAsync(realm, 2, Cancel);
        await using var sender = devices[0];
        await using var recipient = devices[1];
        var server = RawDevice.ServerOf(realm);
        await recipient.ConnectAsync(await recipient.RequestTicketAsync(server.Id, Cancel), Cancel);
        var connection = await sender.ConnectAsync(await sender.RequestTicketAsync(server.Id, Cancel), Cancel);
        await connection.RequestAsync<MessageAccepted>(RawDevice.MessageTo(recipient), Cancel);
        await Eventually.TrueAsync(() => AuthConnectionOf(realm, server.Id) is not null, Cancel);

        using (var other = Ed25519PrivateKey.Generate())
        {
            Assert.NotNull(await realm.AuthServices.GetRequiredService<MessageServers>().EnrolAsync(
                await TokenForAsync(realm, server.Id), new ServerAddress("other", "127.0.0.1", 1), other.PublicKey.ToArray(), Origin.System, Cancel));
        }

        await Eventually.TrueAsync(() => AuthConnectionOf(realm, server.Id) is null, Cancel);
        var foreign = await recipient.RequestTicketAsync(server.Id, Cancel);
        await AssertRefusedAsync(ProtocolError.TicketRefused, () => recipient.ConnectAsync(foreign, Cancel));

        await File.WriteAllTextAsync(tokenFile, await TokenForAsync(realm, server.Id), Cancel);
        await clock.PassesAsync(TimeSpan.FromMilliseconds(500), () => AuthConnectionOf(realm, server.Id) is not null, Cancel);
        Assert.Equal((server.Id, server.Port), (RawDevice.ServerOf(realm).Id, RawDevice.ServerOf(realm).Port));
        await connection.RequestAsync<Done>(new AcknowledgeRequest([], 0), Cancel);
        var again = await recipient.ConnectAsync(await recipient.RequestTicketAsync(server.Id, Cancel), Cancel);
        Assert.Equal(1ul, (await again.RequestAsync<CreditGranted>(new GrantCreditRequest(1), Cancel)).NewestWaiting);
    }

    [Fact(Timeout = Patience)]
    public async Task A_token_that_is_tried_while_its_server_is_disabled_is_not_spent_and_the_server_comes_back_as_it_was()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 8, 0, 0, TimeSpan.Zero));
        await using var realm = await Realm.StartAsync(Cancel, RealmSetup.At(clock));
        var tokenFile = realm.Folder.File("anew");
        await realm.StopMessageAsync(Cancel);
        await realm.StartMessageAsync(realm.MessagePort, Cancel, $"--Realm:EnrolmentTokenFile={tokenFile}");
        var server = RawDevice.ServerOf(realm);
        await Eventually.TrueAsync(() => AuthConnectionOf(realm, server.Id) is not null, Cancel);

        var servers = realm.AuthServices.GetRequiredService<MessageServers>();
        Assert.Equal(AdminChange.Done, await servers.SetDisabledAsync(server.Id, isDisabled: true, Precondition.None, Origin.System, Cancel));
        await File.WriteAllTextAsync(tokenFile, await TokenForAsync(realm, server.Id), Cancel);
        var tries = 0;
        await clock.PassesAsync(TimeSpan.FromMilliseconds(500), () => ++tries > 150, Cancel);
        Assert.Null(AuthConnectionOf(realm, server.Id));

        Assert.Equal(AdminChange.Done, await servers.SetDisabledAsync(server.Id, isDisabled: false, Precondition.None, Origin.System, Cancel));
        await clock.PassesAsync(TimeSpan.FromMilliseconds(500), () => AuthConnectionOf(realm, server.Id) is not null, Cancel);
        Assert.Equal(server.SigningKey, RawDevice.ServerOf(realm).SigningKey);
        await using (var scope = realm.AuthServices.CreateAsyncScope())
        {
            var tokens = scope.ServiceProvider.GetRequiredService<AuthDbContext>().OneTimeTokens;
            Assert.Null((await tokens.SingleAsync(row => row.ServerId == server.Id.Value && row.UsedAt == null, Cancel)).UsedBy);
        }

        await using var device = (await RawDevice.LogInAsync(realm, 1, Cancel))[0];
        await device.ConnectAsync(await device.RequestTicketAsync(server.Id, Cancel), Cancel);
    }

    [Fact(Timeout = Patience)]
    public async Task A_message_server_that_lost_its_data_enrols_again_under_its_id()
    {
        await using var realm = await Realm.StartAsync(Cancel);
        await using var device = (await RawDevice.LogInAsync(realm, 1, Cancel))[0];
        var server = RawDevice.ServerOf(realm).Id;
        await realm.StopMessageAsync(Cancel);
        SqliteConnection.ClearAllPools();
        Directory.Delete(realm.Folder.File("message"), recursive: true);

        await realm.StartMessageAsync(
            realm.MessagePort, Cancel, $"--Realm:Fingerprint={realm.Pin.Fingerprint}", $"--Realm:EnrolmentToken={await TokenForAsync(realm, server)}");

        Assert.Equal(server, RawDevice.ServerOf(realm).Id);
        await device.ConnectAsync(await device.RequestTicketAsync(server, Cancel), Cancel);
    }

    private static async Task<string> TokenForAsync(Realm realm, ServerId server) =>
        (await realm.AuthServices.GetRequiredService<OneTimeTokens>().MakeEnrolmentAsync(
            server.Value, TimeSpan.FromHours(1), Origin.System, Cancel)).Token;

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
