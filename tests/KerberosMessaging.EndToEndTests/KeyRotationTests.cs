using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.EndToEndTests.Support;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.EndToEndTests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>Keys change under connected clients, and none of them notices.</summary>
public sealed class KeyRotationTests
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 240_000;

    private const int Clients = 100;

    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2030, 1, 1, 8, 0, 0, TimeSpan.Zero));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = Patience)]
    public async Task A_hundred_connected_clients_go_on_while_every_key_of_their_tickets_is_rotated_twice()
    {
        await using var realm = await Realm.StartAsync(Cancel, RealmSetup.At(_clock, "--Auth:ServiceTicketLife=00:10:00"));
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel, options => options with { Time = _clock });
        await using var bob = await Person.JoinAsync(realm, "bob", Cancel, options => options with { Time = _clock });
        await using var atBob = Inbox.Open(bob.Client);
        await alice.Client.SendTextAsync("bob", "hello", Cancel);
        Assert.Equal("hello", await atBob.NextTextAsync(Cancel));
        var guests = await GuestsAsync(realm, Clients);
        var connections = ConnectionsOf(realm);
        Assert.Equal(Clients + 2, connections.Count);

        for (var round = 1; round <= 2; round++)
        {
            var early = await Task.WhenAll(guests.Take(10).Select(guest => guest.Device.RequestTicketAsync(guest.Server, Cancel)));
            Assert.All(early, ticket => Assert.Equal((uint)round, ticket.ServiceKeyVersion));
            await WhileAllPresentAsync(guests, async () =>
            {
                await RotateAllAsync(realm);
                await ConfirmedAsync(realm, version: (uint)round + 1);
            });

            // From now on tickets are made with the new keys, and those made with the old ones are still good.
            Assert.All(
                await PresentAllAsync(guests),
                ticket => Assert.Equal(((uint)round + 1, (uint)round + 1), (ticket.ServiceKeyVersion, ticket.SigningKeyVersion)));
            await Task.WhenAll(guests.Zip(early).Select(pair => pair.Second.PresentAsync(pair.First.Connection, Cancel)));

            // The SDK's clients present fresh tickets by themselves.
            var people = connections.Where(static one => one.Principal!.ClientName is "alice" or "bob").ToList();
            var ends = people.ConvertAll(static one => one.Principal!.EndsAt);
            _clock.Advance(TimeSpan.FromMinutes(9));
            await Eventually.TrueAsync(() => people.Zip(ends).All(static pair => pair.First.Principal!.EndsAt > pair.Second), Cancel);
            await PresentAllAsync(guests);
            await alice.Client.SendTextAsync("bob", $"round {round}", Cancel);
            Assert.Equal($"round {round}", await atBob.NextTextAsync(Cancel));
        }

        // Nobody was cut and came back.
        Assert.Equal(connections, ConnectionsOf(realm));
        await DisposeAsync(guests);
    }

    [Fact(Timeout = Patience)]
    public async Task Old_keys_go_when_the_last_ticket_under_them_has_ended_and_no_earlier()
    {
        await using var realm = await Realm.StartAsync(Cancel, RealmSetup.At(_clock, "--Auth:ServiceTicketLife=00:10:00"));
        var guests = await GuestsAsync(realm, 2);
        var ring = realm.MessageServices.GetRequiredService<TicketKeyRing>();
        var housekeeping = realm.AuthServices.GetRequiredService<Housekeeping>();
        await RotateAllAsync(realm);
        await ConfirmedAsync(realm, version: 2);

        _clock.Advance(TimeSpan.FromMinutes(9));
        await housekeeping.RunOnceAsync(Cancel);
        await PresentAllAsync(guests);
        Assert.Equal([1u, 2u], ring.Current!.Keys.ServiceKeys.Keys.Order());
        Assert.Equal([1u, 2u], ring.Current.Keys.TicketSigningKeys.Keys.Order());

        // The first of these rounds finds out that the old signing key is needed no more, which another ticket's life confirms.
        for (var i = 0; i < 3; i++)
        {
            _clock.Advance(TimeSpan.FromMinutes(9));
            await housekeeping.RunOnceAsync(Cancel);
            await PresentAllAsync(guests);
        }

        await _clock.PassesAsync(
            TimeSpan.FromSeconds(1),
            () => ring.Current.Keys is { ServiceKeys.Count: 1, TicketSigningKeys.Count: 1 },
            Cancel);
        Assert.Equal((2u, 2u), (ring.Current.Keys.NewestServiceKey, ring.Current.Keys.NewestTicketSigningKey));
        await PresentAllAsync(guests);
        await DisposeAsync(guests);
    }

    [Fact(Timeout = Patience)]
    public async Task A_message_server_that_is_away_during_a_rotation_is_sealed_to_with_the_key_it_has()
    {
        await using var realm = await Realm.StartAsync(Cancel, RealmSetup.At(_clock));
        await using var device = (await RawDevice.LogInAsync(realm, 1, Cancel))[0];
        var server = RawDevice.ServerOf(realm).Id;
        await ConfirmedAsync(realm, version: 1);
        await realm.StopMessageAsync(Cancel);
        await RotateAllAsync(realm);
        var made = await device.RequestTicketAsync(server, Cancel);
        Assert.Equal((1u, 1u), (made.ServiceKeyVersion, made.SigningKeyVersion));

        await realm.StartMessageAsync(Cancel);
        var connection = await device.ConnectAsync(made, Cancel);
        await ConfirmedAsync(realm, version: 2);
        var fresh = await device.RequestTicketAsync(server, Cancel);
        Assert.Equal((2u, 2u), (fresh.ServiceKeyVersion, fresh.SigningKeyVersion));
        await fresh.PresentAsync(connection, Cancel);

        // What it confirmed it has on disk: it opens tickets though the auth server is away.
        await realm.StopAuthAsync(Cancel);
        await realm.StopMessageAsync(Cancel);
        await realm.StartMessageAsync(Cancel);
        await device.ConnectAsync(fresh, Cancel);
    }

    private sealed record Guest(RawDevice Device, RequestConnection Connection, ServerId Server);

    private static async Task<List<Guest>> GuestsAsync(Realm realm, int count)
    {
        var server = RawDevice.ServerOf(realm).Id;
        var guests = new List<Guest>();
        foreach (var device in await RawDevice.LogInAsync(realm, count, Cancel))
        {
            guests.Add(new Guest(device, await device.ConnectAsync(await device.RequestTicketAsync(server, Cancel), Cancel), server));
        }

        return guests;
    }

    private static async Task DisposeAsync(List<Guest> guests)
    {
        foreach (var guest in guests)
        {
            await guest.Device.DisposeAsync();
        }
    }

    // Each gets a fresh ticket, presents it on its open connection and uses the connection; a refusal fails the test.
    private static Task<RawTicket[]> PresentAllAsync(List<Guest> guests) => Task.WhenAll(guests.Select(static async guest =>
    {
        var ticket = await guest.Device.RequestTicketAsync(guest.Server, Cancel);
        await ticket.PresentAsync(guest.Connection, Cancel);
        await guest.Connection.RequestAsync<Done>(new AcknowledgeRequest([], 0), Cancel);
        return ticket;
    }));

    private static async Task WhileAllPresentAsync(List<Guest> guests, Func<Task> action)
    {
        var acting = action();
        do
        {
            await PresentAllAsync(guests);
        }
        while (!acting.IsCompleted);

        await acting;
    }

    private static async Task RotateAllAsync(Realm realm)
    {
        var rotation = realm.AuthServices.GetRequiredService<KeyRotation>();
        Assert.Equal(AdminChange.Done, await realm.AuthServices.GetRequiredService<MessageServers>().RotateAsync(RawDevice.ServerOf(realm).Id, Precondition.None, Origin.System, Cancel));
        Assert.NotNull(await rotation.RotateAsync(RealmKeyPurpose.TicketSigning, Origin.System, Cancel));
        Assert.NotNull(await rotation.RotateAsync(RealmKeyPurpose.Ticket, Origin.System, Cancel));
    }

    // A message server that lost the connection comes back by this clock.
    private Task ConfirmedAsync(Realm realm, uint version) => _clock.PassesAsync(
        TimeSpan.FromMilliseconds(20),
        () => RawDevice.ServerOf(realm) is var server && server.SealingKey.Version == version && server.TicketSigningVersion == version,
        Cancel);

    private static List<WireConnection> ConnectionsOf(Realm realm) => [.. ((HostedServer)realm.Message).Connections.All
        .Where(static connection => connection.Principal is not null)
        .OrderBy(static connection => connection.Session.Value)];
}
