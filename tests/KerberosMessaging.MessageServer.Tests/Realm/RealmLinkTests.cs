using KerberosMessaging.Cryptography;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Persistence.Sqlite;
using KerberosMessaging.MessageServer.Realm;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;
using KerberosMessaging.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.MessageServer.Tests.Realm;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>The connection to the auth server, against one that does as the test says, and by the test's clock.</summary>
public sealed class RealmLinkTests : IAsyncLifetime
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 60_000;

    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(500);

    private readonly AskedTime _time = new(DateTimeOffset.UtcNow);
    private readonly TestDevice _alice = TestDevice.Of("alice");
    private readonly SecretBytes _nextKey = SecretBytes.Random(ServiceTicket.ServiceKeySize);
    private readonly Ed25519PrivateKey _nextSigner = Ed25519PrivateKey.Generate();
    private TestRealm _realm = null!;
    private ScriptedAuthServer _auth = null!;
    private TestServer _server = null!;
    private ulong _position;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _realm = new TestRealm();
        _auth = ScriptedAuthServer.Of(_realm);
        _server = await TestServer.StartAsync(
            _realm, _time, [.. _auth.Arguments, "--Realm:Name=relay", "--Realm:AdvertisedHost=relay.example", "--Realm:AdvertisedPort=4711"]);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _auth.DisposeAsync();
        _nextKey.Dispose();
        _nextSigner.Dispose();
    }

    [Fact(Timeout = Patience)]
    public async Task It_proves_its_key_states_its_address_confirms_its_keys_and_follows_from_the_beginning()
    {
        var proof = await _auth.NextAsync<AuthenticateServerRequest>(Cancellation);
        Assert.Equal((_realm.Server, "relay", "relay.example", 4711), (proof.Server, proof.Name, proof.Host, proof.Port));
        Assert.Equal(
            new ConfirmServerKeysRequest(TestRealm.KeyVersion, TestRealm.SigningVersion),
            await _auth.NextAsync<ConfirmServerKeysRequest>(Cancellation));
        Assert.Equal(0ul, (await _auth.NextAsync<SubscribeRevocationsRequest>(Cancellation)).After);
        await FollowsAsync();
    }

    [Fact(Timeout = Patience)]
    public async Task An_address_that_was_changed_in_the_configuration_is_stated_at_the_next_start()
    {
        await FollowsAsync();
        await _server.StopAsync();
        await _server.StartAgainAsync("--Realm:AdvertisedHost=elsewhere.example", "--Realm:AdvertisedPort=0");
        await _auth.NextAsync<AuthenticateServerRequest>(Cancellation);
        var proof = await _auth.NextAsync<AuthenticateServerRequest>(Cancellation);
        Assert.Equal(
            ("elsewhere.example", _server.App.Services.GetRequiredService<WireListener>().EndPoint.Port), (proof.Host, proof.Port));
    }

    [Fact(Timeout = Patience)]
    public async Task New_keys_are_fetched_stored_and_only_then_confirmed()
    {
        await FollowsAsync();
        _auth.Keys = () => Keys(old: true);
        await _auth.PushAsync(new ServerKeysChanged());
        Assert.Equal(new ConfirmServerKeysRequest(4, 8), await NextConfirmationAsync());
        await PresentAsync(old: true);
        await PresentAsync(old: false);

        // As after a crash right after the confirmation, with the auth server away.
        await _server.StopAsync();
        await _server.StartAgainAsync("--Realm:Port=1");
        await PresentAsync(old: true);
        await PresentAsync(old: false);
    }

    [Fact(Timeout = Patience)]
    public async Task Keys_that_are_not_listed_any_more_are_dropped_with_the_next_sign_of_life()
    {
        await FollowsAsync();
        _auth.Keys = () => Keys(old: true);
        await _auth.PushAsync(new ServerKeysChanged());
        await NextConfirmationAsync();
        _auth.Keys = () => Keys(old: false);
        var dropped = _server.Log.WaitForAsync(LogLevel.Information, "its keys: service keys 4, ticket-signing keys 8.", Cancellation);
        await _time.PassesAsync(Step, dropped, Cancellation);
        await AssertRefusedAsync(() => PresentAsync(old: true));
        await PresentAsync(old: false);
        await _server.StopAsync();
        await _server.StartAgainAsync("--Realm:Port=1");
        await AssertRefusedAsync(() => PresentAsync(old: true));
        await PresentAsync(old: false);
    }

    [Fact(Timeout = Patience)]
    public async Task Keys_that_cannot_be_stored_are_not_confirmed_and_revocations_go_on()
    {
        await using var client = await _server.SignInAsync(_alice, Cancellation);
        await FollowsAsync();
        await _auth.NextAsync<ConfirmServerKeysRequest>(Cancellation);
        await _auth.NextAsync<SubscribeRevocationsRequest>(Cancellation);
        using (var other = new SqliteDatabase(_server.Database).Open())
        {
            Execute(other, "BEGIN IMMEDIATE");
            _auth.Keys = () => Keys(old: true);
            await _auth.PushAsync(new ServerKeysChanged());
            await _auth.NextAsync<FetchServerKeysRequest>(Cancellation);
            await RevokeSessionAsync(_alice.Session);
            await AssertCutAsync(client);
            await _server.Log.WaitForAsync(LogLevel.Error, "could not be stored", Cancellation);
            Assert.True(_auth.HasNothingMore);
            await AssertRefusedAsync(() => PresentAsync(old: false));
            Execute(other, "ROLLBACK");
        }

        Assert.Equal(
            new ConfirmServerKeysRequest(4, 8),
            await _time.PassesAsync(Step, _auth.NextAsync<ConfirmServerKeysRequest>(Cancellation), Cancellation));
        await PresentAsync(old: false);
    }

    [Fact(Timeout = Patience)]
    public async Task A_revoked_session_loses_its_connection_and_its_tickets_and_nobody_else_does()
    {
        var sameDevice = _alice with { Session = SessionId.New() };
        await using var client = await _server.SignInAsync(_alice, Cancellation);
        await using var other = await _server.SignInAsync(sameDevice, Cancellation);
        await FollowsAsync();
        await RevokeSessionAsync(_alice.Session);
        await AssertCutAsync(client);
        await other.FenceAsync(Cancellation);
        await AssertRefusedAsync(_alice);
        await (await _server.SignInAsync(sameDevice, Cancellation)).DisposeAsync();
    }

    [Fact(Timeout = Patience)]
    public async Task A_fresh_ticket_does_not_save_a_revoked_session()
    {
        await using var client = await _server.SignInAsync(_alice, Cancellation);
        await FollowsAsync();
        _time.Advance(TimeSpan.FromSeconds(1));
        await RevokeSessionAsync(_alice.Session);
        await AssertCutAsync(client);
        _time.Advance(TimeSpan.FromSeconds(1));
        await AssertRefusedAsync(_alice);
    }

    [Fact(Timeout = Patience)]
    public async Task A_removed_device_loses_its_connections_and_may_not_come_back_with_its_login()
    {
        var phone = TestDevice.Of("alice", _alice.Client);
        await using var client = await _server.SignInAsync(_alice, Cancellation);
        await using var other = await _server.SignInAsync(phone, Cancellation);
        await FollowsAsync();
        await RevokeAsync(RevocationKind.Device, _alice.Client, _alice.Device, default);
        await AssertCutAsync(client);
        await other.FenceAsync(Cancellation);
        await AssertRefusedAsync(_alice with { Session = SessionId.New() });
    }

    [Fact(Timeout = Patience)]
    public async Task A_disabled_client_loses_all_connections_and_comes_back_only_with_a_later_login()
    {
        var phone = TestDevice.Of("alice", _alice.Client);
        await using var first = await _server.SignInAsync(_alice, Cancellation);
        await using var second = await _server.SignInAsync(phone, Cancellation);
        await using var bob = await _server.SignInAsync(TestDevice.Of("bob"), Cancellation);
        await FollowsAsync();
        await RevokeAsync(RevocationKind.Client, _alice.Client, default, default);
        await AssertCutAsync(first);
        await AssertCutAsync(second);
        await bob.FenceAsync(Cancellation);
        await AssertRefusedAsync(phone);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await (await _server.SignInAsync(phone, Cancellation)).DisposeAsync();
    }

    [Fact(Timeout = Patience)]
    public async Task What_was_revoked_before_a_login_does_not_cut_it_when_it_is_told_late()
    {
        var revokedAt = _time.GetUtcNow();
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await using var client = await _server.SignInAsync(_alice, Cancellation);
        await FollowsAsync();
        await _auth.PushAsync(new Revocations([new Revocation(++_position, RevocationKind.Client, _alice.Client, default, default, revokedAt)]));
        await Until.TrueAsync(() => _server.App.Services.GetRequiredService<RevokedTickets>().Count == 1, Cancellation);
        await client.FenceAsync(Cancellation);
    }

    [Fact(Timeout = Patience)]
    public async Task What_is_revoked_between_the_look_at_a_ticket_and_the_sign_in_is_refused()
    {
        await FollowsAsync();
        RequestRefusedException refusal;
        do
        {
            var device = TestDevice.Of("alice");
            await using var client = await _server.ConnectAsync(Cancellation);
            using var other = new SqliteDatabase(_server.Database).Open();
            Execute(other, "BEGIN IMMEDIATE");

            // The ticket is looked at by the clock, and then the opening of the mailbox, which stands in the way here.
            var asked = _time.Asked;
            var presenting = _realm.Issue(device, _server.Now).PresentAsync(client.Connection, Cancellation);
            await Until.TrueAsync(() => _time.Asked >= asked + 3, Cancellation);
            var revoked = _server.App.Services.GetRequiredService<RevokedTickets>();
            var before = revoked.Count;
            await RevokeSessionAsync(device.Session);
            await Until.TrueAsync(() => revoked.Count > before, Cancellation);
            Execute(other, "ROLLBACK");
            refusal = await Assert.ThrowsAsync<RequestRefusedException>(() => presenting);
        }
        while (refusal.Error == ProtocolError.Busy);

        Assert.Equal(ProtocolError.TicketRefused, refusal.Error);
    }

    [Fact(Timeout = Patience)]
    public async Task After_a_break_it_follows_from_where_it_was_and_serves_meanwhile()
    {
        await FollowsAsync();
        await _auth.NextAsync<SubscribeRevocationsRequest>(Cancellation);
        await using var client = await _server.SignInAsync(_alice, Cancellation);
        _position = 41;
        await RevokeSessionAsync(SessionId.New());
        await Until.TrueAsync(() => _server.App.Services.GetRequiredService<RevokedTickets>().Count == 1, Cancellation);
        _auth.Newest = 42;
        _auth.HangsUp = true;
        _auth.Drop();
        var away = _server.Log.WaitForAsync(LogLevel.Warning, "is away", Cancellation);
        await _time.PassesAsync(Step, away, Cancellation);
        await client.FenceAsync(Cancellation);
        await (await _server.SignInAsync(TestDevice.Of("bob"), Cancellation)).DisposeAsync();

        _auth.HangsUp = false;
        var again = _auth.NextAsync<SubscribeRevocationsRequest>(Cancellation);
        Assert.Equal(42ul, (await _time.PassesAsync(Step, again, Cancellation)).After);
        await _server.Log.WaitForAsync(LogLevel.Information, "Connected to the auth server", Cancellation, count: 2);
        await RevokeSessionAsync(_alice.Session);
        await AssertCutAsync(client);
    }

    [Fact(Timeout = Patience)]
    public async Task An_auth_server_that_was_put_back_to_an_earlier_state_is_followed_from_the_beginning()
    {
        await FollowsAsync();
        await _auth.NextAsync<SubscribeRevocationsRequest>(Cancellation);
        _position = 41;
        await RevokeSessionAsync(SessionId.New());
        await Until.TrueAsync(() => _server.App.Services.GetRequiredService<RevokedTickets>().Count == 1, Cancellation);
        _auth.Newest = 7;
        _auth.Drop();
        Assert.Equal(42ul, (await _time.PassesAsync(Step, _auth.NextAsync<SubscribeRevocationsRequest>(Cancellation), Cancellation)).After);
        Assert.Equal(0ul, (await _time.PassesAsync(Step, _auth.NextAsync<SubscribeRevocationsRequest>(Cancellation), Cancellation)).After);
    }

    [Fact(Timeout = Patience)]
    public async Task An_auth_server_that_answers_no_more_is_left_and_tried_again()
    {
        await FollowsAsync();
        await _auth.NextAsync<SubscribeRevocationsRequest>(Cancellation);
        _auth.IsSilent = true;
        var accepted = _auth.Accepted;
        var silentSince = _time.GetUtcNow();
        await _time.PassesAsync(Step, () => _auth.Accepted > accepted, Cancellation);
        Assert.True(_time.GetUtcNow() - silentSince >= RealmSession.AnswerDeadline);
        Assert.Contains(_server.Log.Lines, static line => line.Text.Contains("did not answer in time", StringComparison.Ordinal));
        _auth.IsSilent = false;
        await _time.PassesAsync(Step, _auth.NextAsync<SubscribeRevocationsRequest>(Cancellation), Cancellation);
    }

    [Fact(Timeout = Patience)]
    public async Task While_the_auth_server_is_away_it_is_tried_less_and_less_often_and_told_of_once()
    {
        await FollowsAsync();
        _auth.HangsUp = true;
        _auth.Drop();
        var accepted = _auth.Accepted;
        await _time.PassesAsync(TimeSpan.FromMilliseconds(50), () => _auth.Accepted > accepted, Cancellation);

        // The first try followed the break; what comes before each further one at least doubles.
        foreach (var least in new[] { 400, 800, 1600, 3200 })
        {
            var since = _time.GetUtcNow();
            accepted = _auth.Accepted;
            await _time.PassesAsync(TimeSpan.FromMilliseconds(50), () => _auth.Accepted > accepted, Cancellation);
            Assert.InRange(_time.GetUtcNow() - since, TimeSpan.FromMilliseconds(least), TimeSpan.MaxValue);
        }

        Assert.Single(_server.Log.Lines, static line => line.Text.Contains("has ended", StringComparison.Ordinal));
        Assert.Single(_server.Log.Lines, static line => line.Level == LogLevel.Warning);
    }

    [Fact(Timeout = Patience)]
    public async Task A_refused_server_tells_its_operator_once_goes_on_serving_and_comes_back_by_itself()
    {
        await using var client = await _server.SignInAsync(_alice, Cancellation);
        await FollowsAsync();
        _auth.Enrolled = null;
        _auth.Drop();
        var refused = _server.Log.WaitForAsync(LogLevel.Warning, "refuses this server", Cancellation);
        var line = await _time.PassesAsync(Step, refused, Cancellation);
        Assert.Contains(_realm.Server.ToString(), line, StringComparison.Ordinal);
        Assert.Contains("Realm:EnrolmentToken", line, StringComparison.Ordinal);

        var accepted = _auth.Accepted;
        var since = _time.GetUtcNow();
        await _time.PassesAsync(Step, () => _auth.Accepted > accepted + 1, Cancellation);
        Assert.InRange(_time.GetUtcNow() - since, RealmLink.RefusedDelay, TimeSpan.MaxValue);
        await client.FenceAsync(Cancellation);
        Assert.Single(_server.Log.Lines, static line => line.Level == LogLevel.Warning);

        _auth.Enrolled = _realm.ServerKey.PublicKey;
        var back = _server.Log.WaitForAsync(LogLevel.Information, "Connected to the auth server", Cancellation, count: 2);
        await _time.PassesAsync(Step, back, Cancellation);
    }

    [Fact(Timeout = Patience)]
    public async Task A_server_with_another_realms_key_learns_nothing()
    {
        using var key = Ed25519PrivateKey.Generate();
        await using var impostor = new ScriptedAuthServer(key) { Enrolled = _realm.ServerKey.PublicKey, Keys = () => _realm.WireKeys };
        await FollowsAsync();
        await _server.StopAsync();

        // The fingerprint of the options no longer counts.
        await _server.StartAgainAsync([.. impostor.Arguments, $"--Realm:Fingerprint={impostor.Fingerprint}"]);
        await _server.Log.WaitForAsync(LogLevel.Warning, "is not the realm", Cancellation);
        Assert.True(impostor.HasNothingMore);
        await (await _server.SignInAsync(_alice, Cancellation)).DisposeAsync();
    }

    private static void Execute(Microsoft.Data.Sqlite.SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static async Task AssertCutAsync(TestClient client)
    {
        Assert.Equal(NoticeKind.SessionEnded, (await client.NextNoticeAsync(Cancellation)).Kind);
        await client.Connection.Ended.WaitAsync(Cancellation);
    }

    private static async Task AssertRefusedAsync(Func<Task> present) =>
        Assert.Equal(ProtocolError.TicketRefused, (await Assert.ThrowsAsync<RequestRefusedException>(present)).Error);

    // With a ticket that was made this moment, on a login of this moment too unless it was before.
    private Task AssertRefusedAsync(TestDevice device) => AssertRefusedAsync(async () =>
        await (await _server.SignInAsync(device, Cancellation)).DisposeAsync());

    private Task<string> FollowsAsync() => _server.Log.WaitForAsync(LogLevel.Information, "Connected to the auth server", Cancellation);

    private Task RevokeSessionAsync(SessionId session) => RevokeAsync(RevocationKind.Session, _alice.Client, _alice.Device, session);

    private Task RevokeAsync(RevocationKind kind, ClientId client, DeviceId device, SessionId session) =>
        _auth.PushAsync(new Revocations([new Revocation(++_position, kind, client, device, session, _time.GetUtcNow())]));

    // The confirmation of the keys that it had comes first.
    private async Task<ConfirmServerKeysRequest> NextConfirmationAsync()
    {
        await _auth.NextAsync<ConfirmServerKeysRequest>(Cancellation);
        return await _auth.NextAsync<ConfirmServerKeysRequest>(Cancellation);
    }

    private ServerKeys Keys(bool old) => new(
        _realm.Key.PublicKey.ToArray(),
        [.. old ? _realm.WireKeys.ServiceKeys : [], new VersionedKey(4, _nextKey.Span.ToArray())],
        [.. old ? _realm.WireKeys.TicketSigningKeys : [], new VersionedKey(8, _nextSigner.PublicKey.ToArray())]);

    private async Task PresentAsync(bool old)
    {
        await using var client = await _server.ConnectAsync(Cancellation);
        var device = TestDevice.Of("bob");
        var ticket = old
            ? _realm.Issue(device, _server.Now)
            : _realm.Issue(device, _server.Now, keyVersion: 4, serviceKey: _nextKey, signer: _nextSigner, signingVersion: 8);
        await ticket.PresentAsync(client.Connection, Cancellation);
    }

    /// <summary>A clock that counts how often it was asked.</summary>
    private sealed class AskedTime(DateTimeOffset start) : FakeTimeProvider(start)
    {
        private int _asked;

        public int Asked => Volatile.Read(ref _asked);

        public override DateTimeOffset GetUtcNow()
        {
            Interlocked.Increment(ref _asked);
            return base.GetUtcNow();
        }
    }
}
