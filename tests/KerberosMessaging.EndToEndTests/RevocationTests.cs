using System.Diagnostics;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.Client;
using KerberosMessaging.EndToEndTests.Support;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;
using Microsoft.Extensions.DependencyInjection;

namespace KerberosMessaging.EndToEndTests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>What an admin or a client ends has ended everywhere within a second.</summary>
[Collection(nameof(AloneOnTheMachine))]
public sealed class RevocationTests(RealmFixture fixture) : IClassFixture<RealmFixture>
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 120_000;

    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(1);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

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
        await revoked.EndAsync(ending, Cancel);
        await connection.Ended.WaitAsync(Cancel);
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, Bound);

        await AssertRefusedAsync(ProtocolError.TicketRefused, () => ticket.PresentAsync(idle, Cancel));
        await revoked.AuthEndedAsync(Cancel);
        await AssertRefusedAsync(ProtocolError.TicketRefused, () => revoked.RequestTicketAsync(server, Cancel));
        await other.RequestAsync<Done>(new AcknowledgeRequest([], 0), Cancel);
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
        Assert.Equal(AdminChange.Done, await clients.DisableAsync(client, Precondition.None, Origin.System, Cancel));
        await cut;
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, Bound);
        Assert.Equal(MessagingFailure.NotLoggedIn, (await atBob.FailureAsync(Cancel)).Failure);

        // Mail waits for whom it may still come back.
        await alice.Client.SendTextAsync(bob.Name, "meanwhile", Cancel);
        Assert.Equal(AdminChange.Done, await clients.EnableAsync(client, Precondition.None, Origin.System, Cancel));
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

    // The first time everything is compiled; that is not what is measured.
    private static async Task WarmUpAsync(Realm realm)
    {
        await using var device = (await RawDevice.LogInAsync(realm, 1, Cancel))[0];
        var ticket = await device.RequestTicketAsync(RawDevice.ServerOf(realm).Id, Cancel);
        var connection = await device.ConnectAsync(ticket, Cancel);
        await device.EndAsync(Ending.Session, Cancel);
        await connection.Ended.WaitAsync(Cancel);
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

    private static List<WireConnection> ConnectionsOf(Realm realm, string name) =>
        [.. ((HostedServer)realm.Message).Connections.All.Where(connection => connection.Principal?.ClientName == name)];
}
