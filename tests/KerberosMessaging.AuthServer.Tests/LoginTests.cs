using System.Security.Cryptography;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.AuthServer.Tests;

public sealed class LoginTests : IAsyncLifetime
{
    private readonly TestAccount _alice = new("Alice");
    private TestServer _server = null!;
    private TestClient _client = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _client = await _server.ConnectAsync();
        await _client.RegisterAsync(_alice);
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task The_right_password_gets_a_ticket_on_a_session_row_and_signs_the_channel_in()
    {
        var ticket = await _client.LoginAsync(_alice);

        var now = _server.Time.GetUtcNow();
        var session = Assert.Single(await _server.SessionsAsync());
        Assert.Equal(session.Id, ticket.Part.Session.Value);
        Assert.Equal(session.ClientId, ticket.Part.Client.Value);
        Assert.Equal("Alice", ticket.Part.ClientName);
        Assert.Equal(now, ticket.Part.ServerTime);
        Assert.Equal(new TicketTimes(now, now, now.AddHours(10), now.AddDays(7)), ticket.Part.Times);
        Assert.Equal(
            (now, now, now.AddHours(10), now.AddDays(7)),
            (session.CreatedAt, session.LastUsedAt, session.ExpiresAt, session.RenewableUntil));
        Assert.Equal(("127.0.0.1", _alice.Device.Id.Value), (session.Address, session.DeviceId));

        using var body = TicketGrantingTicket.TryOpen(ticket.Bytes, _server.Keys.TicketKey.Key.Span)!;
        Assert.Equal(ticket.Part.Session, body.Session);
        Assert.Equal(ticket.Part.Client, body.Client);
        Assert.Equal(_alice.Device.Id, body.Device);
        Assert.Equal(ticket.Part.Times, body.Times);
        Assert.Equal(ticket.SessionKey.Span, body.SessionKey.Span);

        Assert.Empty((await _client.RequestAsync<ServerList>(new ListServersRequest())).Servers);
    }

    [Fact]
    public async Task The_right_password_gets_a_certificate_of_the_realm_for_the_device()
    {
        var ticket = await _client.LoginAsync(_alice);

        var certificate = DeviceCertificate.TryRead(ticket.Part.Certificate, _server.Keys.Realm.PublicKey.Span);
        Assert.NotNull(certificate);
        Assert.Equal(ticket.Part.Client, certificate.Client);
        Assert.Equal("Alice", certificate.ClientName);
        Assert.Equal(_alice.Device.Id, certificate.Device);
        Assert.Equal(_alice.Device.Identity, certificate.SigningKey.Concat(certificate.AgreementKey));
        Assert.Equal(_server.Time.GetUtcNow(), certificate.IssuedAt);
        Assert.Null(DeviceCertificate.TryRead(ticket.Part.Certificate, Ed25519PrivateKey.Generate().PublicKey.Span));

        var row = Assert.Single(await _server.DevicesAsync());
        Assert.Equal(ticket.Part.Certificate, row.Certificate);
        Assert.Equal(certificate.Serial, (ulong)row.Serial);
        Assert.Equal("laptop", row.Name);
    }

    [Theory]
    [InlineData("alice")]
    [InlineData("ALICE")]
    [InlineData("ＡＬＩＣＥ")]
    public async Task The_name_may_be_written_in_any_case_and_width(string name)
    {
        var ticket = await _client.LoginAsync(_alice with { Name = name });

        Assert.Equal("Alice", ticket.Part.ClientName);
    }

    [Fact]
    public async Task A_client_sees_itself_that_its_password_is_wrong()
    {
        using var login = OpaqueClientLogin.Start("wrong"u8);
        var challenge = await _client.StartLoginAsync("Alice", login);

        Assert.False(TestClient.TryFinish(login, challenge, _client.ChannelBinding, out _));
    }

    [Fact]
    public async Task A_wrong_password_and_an_unknown_name_are_answered_alike()
    {
        var wrong = await FailedLoginAsync("alice");
        var unknown = await FailedLoginAsync("nobod");
        var impossible = await FailedLoginAsync("a b.c");

        Assert.Equal(
            [MessageCode.ServerHello, MessageCode.LoginChallenge, MessageCode.Error, MessageCode.LoginChallenge, MessageCode.Error, MessageCode.Error],
            wrong.Frames.Select(static frame => frame.Code));
        Assert.Equal(wrong.Frames, unknown.Frames);
        Assert.Equal(wrong.Frames, impossible.Frames);
        Assert.Equal([ProtocolError.LoginFailed, ProtocolError.LoginFailed, ProtocolError.LoginFailed], wrong.Refusals);
        Assert.Equal(wrong.Refusals, unknown.Refusals);
        Assert.Equal(wrong.Refusals, impossible.Refusals);
        Assert.Equal(wrong.Stretching, unknown.Stretching);
        Assert.Equal(wrong.Stretching, impossible.Stretching);
        Assert.Empty(await _server.SessionsAsync());
        Assert.Empty(_server.Log.Errors);
    }

    [Theory]
    [InlineData("alice")]
    [InlineData("nobody")]
    public async Task Probing_a_name_again_shows_what_it_showed_before_whether_it_exists_or_not(string name)
    {
        using var login = OpaqueClientLogin.Start("guess"u8);
        var first = await _client.StartLoginAsync(name, login);
        await using var later = await _server.ConnectAsync();
        var second = await later.StartLoginAsync(name, login);
        var otherForm = await later.StartLoginAsync(name.ToUpperInvariant(), login);

        // KE2 is: evaluated element (32), and then what is masked or random.
        foreach (var again in new[] { second, otherForm })
        {
            Assert.Equal(first.Stretching, again.Stretching);
            Assert.Equal(first.Ke2[..32], again.Ke2[..32]);
            for (var offset = 32; offset < first.Ke2.Length; offset += 32)
            {
                Assert.NotEqual(first.Ke2[offset..(offset + 32)], again.Ke2[offset..(offset + 32)]);
            }
        }

        var other = await later.StartLoginAsync(name + "2", login);
        Assert.NotEqual(first.Ke2[..32], other.Ke2[..32]);
    }

    [Fact]
    public async Task A_name_shows_the_same_before_and_after_it_is_registered()
    {
        using var login = OpaqueClientLogin.Start("guess"u8);
        var before = await _client.StartLoginAsync("bob", login);
        await SampleRecord.RegisterAsync(_client, "bob");

        var after = await _client.StartLoginAsync("bob", login);

        Assert.Equal(before.Stretching, after.Stretching);
        Assert.Equal(before.Ke2[..32], after.Ke2[..32]);
    }

    [Fact]
    public async Task A_second_step_without_a_first_is_unexpected() =>
        Assert.Equal(ProtocolError.Unexpected, await _client.RefusalAsync(MadeUpFinish(_client)));

    [Fact]
    public async Task A_first_step_serves_one_second_step_even_if_the_next_is_right()
    {
        using var proven = await _client.ProvePasswordAsync(_alice);
        var right = _alice.Device.Finish(proven.Ke3, _client.ChannelBinding);

        Assert.Equal(ProtocolError.LoginFailed, await _client.RefusalAsync(MadeUpFinish(_client)));
        Assert.Equal(ProtocolError.Unexpected, await _client.RefusalAsync(right));

        Assert.Empty(await _server.SessionsAsync());
        Assert.Equal(ProtocolError.NotSignedIn, await _client.RefusalAsync(new ListServersRequest()));
        await _client.LoginAsync(_alice);
    }

    [Fact]
    public async Task A_second_step_that_succeeded_does_not_succeed_again()
    {
        using var proven = await _client.ProvePasswordAsync(_alice);
        var finish = _alice.Device.Finish(proven.Ke3, _client.ChannelBinding);
        await _client.RequestAsync<TicketGranted>(finish);

        Assert.Equal(ProtocolError.Unexpected, await _client.RefusalAsync(finish));
        Assert.Single(await _server.SessionsAsync());
    }

    [Fact]
    public async Task A_new_first_step_replaces_the_one_before()
    {
        using var first = await _client.ProvePasswordAsync(_alice);
        using var second = await _client.ProvePasswordAsync(_alice);

        Assert.Equal(
            ProtocolError.LoginFailed, await _client.RefusalAsync(_alice.Device.Finish(first.Ke3, _client.ChannelBinding)));
        Assert.Equal(
            ProtocolError.Unexpected, await _client.RefusalAsync(_alice.Device.Finish(second.Ke3, _client.ChannelBinding)));
    }

    [Fact]
    public async Task A_first_step_that_was_refused_leaves_none_behind()
    {
        using var proven = await _client.ProvePasswordAsync(_alice);

        Assert.Equal(ProtocolError.LoginFailed, await _client.RefusalAsync(new StartLoginRequest("Alice", Filled(96))));
        Assert.Equal(
            ProtocolError.Unexpected, await _client.RefusalAsync(_alice.Device.Finish(proven.Ke3, _client.ChannelBinding)));
    }

    [Fact]
    public async Task A_login_relayed_over_another_channel_fails_at_the_client()
    {
        // Alice is on one channel, and whoever ends it has another to the realm.
        await using var relay = await _server.ConnectAsync();
        using var login = OpaqueClientLogin.Start(_alice.PasswordBytes);
        var challenge = await relay.StartLoginAsync("Alice", login);

        Assert.False(TestClient.TryFinish(login, challenge, _client.ChannelBinding, out _));
    }

    [Fact]
    public async Task A_login_relayed_over_another_channel_fails_at_the_server()
    {
        await using var relay = await _server.ConnectAsync();
        using var login = OpaqueClientLogin.Start(_alice.PasswordBytes);
        await relay.StartLoginAsync("Alice", login);
        var challenge = await _client.StartLoginAsync("Alice", login);
        Assert.True(TestClient.TryFinish(login, challenge, _client.ChannelBinding, out var proven));

        Assert.Equal(
            ProtocolError.LoginFailed, await relay.RefusalAsync(_alice.Device.Finish(proven!.Ke3, relay.ChannelBinding)));
    }

    [Theory]
    [InlineData("random signature")]
    [InlineData("signature for another channel")]
    [InlineData("signature over another KE3")]
    [InlineData("signature for another device id")]
    [InlineData("signature of another device")]
    [InlineData("signature over another agreement key")]
    [InlineData("no device id")]
    public async Task A_device_that_does_not_prove_its_key_is_refused(string what)
    {
        using var proven = await _client.ProvePasswordAsync(_alice);
        var right = _alice.Device.Finish(proven.Ke3, _client.ChannelBinding);
        var other = new TestDevice();
        var wrong = what switch
        {
            "random signature" => right with { Signature = RandomNumberGenerator.GetBytes(64) },
            "signature for another channel" => _alice.Device.Finish(proven.Ke3, RandomNumberGenerator.GetBytes(32)),
            "signature over another KE3" => right with
            {
                Signature = _alice.Device.Finish(RandomNumberGenerator.GetBytes(64), _client.ChannelBinding).Signature,
            },
            "signature for another device id" => right with { Device = DeviceId.New() },
            "signature of another device" => right with { DeviceIdentity = other.Identity },
            "signature over another agreement key" => right with { DeviceIdentity = [.. right.DeviceIdentity[..32], .. other.Identity[32..]] },
            _ => new TestDevice(default(DeviceId)).Finish(proven.Ke3, _client.ChannelBinding),
        };

        Assert.Equal(ProtocolError.DeviceRefused, await _client.RefusalAsync(wrong));

        Assert.Empty(await _server.DevicesAsync());
        Assert.Empty(await _server.SessionsAsync());
        Assert.Equal(ProtocolError.NotSignedIn, await _client.RefusalAsync(new ListServersRequest()));
        Assert.Equal(ProtocolError.Unexpected, await _client.RefusalAsync(right));
    }

    [Fact]
    public async Task A_known_device_id_with_other_keys_is_refused()
    {
        await _client.LoginAsync(_alice);
        using var proven = await _client.ProvePasswordAsync(_alice);

        var impostor = new TestDevice(_alice.Device.Id).Finish(proven.Ke3, _client.ChannelBinding);

        Assert.Equal(ProtocolError.DeviceRefused, await _client.RefusalAsync(impostor));
        Assert.Single(await _server.DevicesAsync());
        Assert.Single(await _server.SessionsAsync());
    }

    [Fact]
    public async Task A_revoked_device_is_refused()
    {
        await _client.LoginAsync(_alice);
        await ChangeAsync(static database => database.Devices.Single().RevokedAt = DateTimeOffset.UnixEpoch);
        using var proven = await _client.ProvePasswordAsync(_alice);

        Assert.Equal(
            ProtocolError.DeviceRefused, await _client.RefusalAsync(_alice.Device.Finish(proven.Ke3, _client.ChannelBinding)));
    }

    [Fact]
    public async Task One_client_may_have_so_many_active_devices_and_no_more()
    {
        await ChangeAsync(static database => database.Devices.AddRange(Enumerable.Range(0, 31).Select(_ => new DeviceRow
        {
            ClientId = database.Clients.Single().Id,
            DeviceId = Guid.NewGuid(),
            Name = "phone",
            Identity = [],
            Certificate = [],
        })));
        await _client.LoginAsync(_alice);
        var newDevice = new TestDevice();

        using (var proven = await _client.ProvePasswordAsync(_alice))
        {
            Assert.Equal(
                ProtocolError.DeviceRefused, await _client.RefusalAsync(newDevice.Finish(proven.Ke3, _client.ChannelBinding)));
        }

        await ChangeAsync(static database => database.Devices.First().RevokedAt = DateTimeOffset.UnixEpoch);
        await _client.LoginAsync(_alice, newDevice);
        Assert.Equal(33, (await _server.DevicesAsync()).Count);
    }

    [Fact]
    public async Task The_same_device_gets_the_same_certificate_and_another_device_a_higher_serial()
    {
        var first = await _client.LoginAsync(_alice);
        _server.Time.Advance(TimeSpan.FromSeconds(30));
        var again = await _client.LoginAsync(_alice);
        var other = await _client.LoginAsync(_alice, new TestDevice());

        Assert.Equal(first.Part.Certificate, again.Part.Certificate);
        Assert.NotEqual(first.Part.Session, again.Part.Session);
        Assert.True(Serial(other) > Serial(first));
        Assert.Equal(3, (await _server.SessionsAsync()).Count);
        Assert.Equal(2, (await _server.DevicesAsync()).Count);
    }

    [Fact]
    public async Task Parallel_logins_of_one_client_all_succeed()
    {
        TestDevice[] devices = [_alice.Device, _alice.Device, _alice.Device, _alice.Device, new(), new(), new()];
        var clients = await Task.WhenAll(devices.Select(_ => _server.ConnectAsync()));
        var proofs = new List<OpaqueLoginResult>();
        foreach (var client in clients)
        {
            proofs.Add(await client.ProvePasswordAsync(_alice));
        }

        var granted = await Task.WhenAll(clients.Select((client, i) =>
            client.RequestAsync<TicketGranted>(devices[i].Finish(proofs[i].Ke3, client.ChannelBinding))));

        var tickets = granted.Select((reply, i) => TestClient.Open(reply, proofs[i].SessionKey)).ToList();
        var sessions = await _server.SessionsAsync();
        Assert.Equal(
            tickets.Select(static ticket => ticket.Part.Session.Value).Order(), sessions.Select(static row => row.Id).Order());
        Assert.Equal(
            devices.Select(static device => device.Id.Value).Order(), sessions.Select(static row => row.DeviceId).Order());
        Assert.Equal(
            devices.Select(static device => device.Id.Value).Distinct().Order(),
            (await _server.DevicesAsync()).Select(static row => row.DeviceId).Order());
        Assert.Equal(4, tickets.Select(Serial).Distinct().Count());
        Assert.Single(tickets.Take(4).Select(static ticket => Convert.ToHexString(ticket.Part.Certificate)).Distinct());
        Assert.Empty(_server.Log.Errors);
        foreach (var client in clients)
        {
            Assert.Empty((await client.RequestAsync<ServerList>(new ListServersRequest())).Servers);
            await client.DisposeAsync();
        }
    }

    private static FinishLoginRequest MadeUpFinish(TestClient client) =>
        new TestDevice().Finish(RandomNumberGenerator.GetBytes(64), client.ChannelBinding);

    private static byte[] Filled(int length)
    {
        var bytes = new byte[length];
        bytes.AsSpan().Fill(0xFF);
        return bytes;
    }

    private ulong Serial(TestTicket ticket) =>
        DeviceCertificate.TryRead(ticket.Part.Certificate, _server.Keys.Realm.PublicKey.Span)!.Serial;

    private Task<int> ChangeAsync(Action<AuthDbContext> change) => _server.ReadAsync(database =>
    {
        change(database);
        return database.SaveChangesAsync(Cancel);
    });

    // Two wrong logins on one connection, and one whose first step is no group element, seen from the path.
    private async Task<FailedLogin> FailedLoginAsync(string name)
    {
        await using var proxy = new RecordingProxy(_server.Port);
        await using var client = await _server.ConnectAsync(proxy.Port);
        var stretchings = new List<Stretching>();
        var refusals = new List<ProtocolError>();
        for (var i = 0; i < 2; i++)
        {
            using var login = OpaqueClientLogin.Start("wrong"u8);
            stretchings.Add((await client.StartLoginAsync(name, login)).Stretching);
            refusals.Add(await client.RefusalAsync(MadeUpFinish(client)));
        }

        refusals.Add(await client.RefusalAsync(new StartLoginRequest(name, Filled(96))));
        return new FailedLogin(
            [.. RecordingProxy.Frames(proxy.FromServer).Select(static frame => (frame.Header.Code, frame.Header.RequestId, frame.Payload.Length))],
            refusals,
            Assert.Single(stretchings.Distinct()));
    }

    private sealed record FailedLogin(
        List<(MessageCode Code, uint RequestId, int Size)> Frames, List<ProtocolError> Refusals, Stretching Stretching);
}
