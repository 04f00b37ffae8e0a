using System.Security.Cryptography;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.AuthServer.Tests;

public sealed class PasswordChangeTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private QuickAccount _alice = null!;
    private TestTicket _ticket = null!;
    private TestClient _client = null!;
    private string _old = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        (_alice, _ticket, _client) = await _server.SignUpQuickAsync("Alice");
        _old = _alice.Password;
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task After_a_change_the_new_password_is_good_and_the_old_one_is_not()
    {
        _server.Time.AdjustTime(_server.Time.GetUtcNow().AddHours(1));

        await PasswordChange.DoAsync(_client, _alice, "quite another");

        Assert.True((await LogInAsync()).Succeeded);
        Assert.Equal(ProtocolError.LoginFailed, (await LogInAsync(_old)).Error);
        var row = Assert.Single(await _server.ClientsAsync());
        Assert.Equal((_server.Time.GetUtcNow(), _alice.Client.Value), (row.PasswordChangedAt, row.Id));
        Assert.Equal($"client {row.Id}", Assert.Single(await _server.AuditAsync(AuditKind.PasswordChanged)).Actor);
        Assert.Empty(_server.Log.Errors);
    }

    [Fact]
    public async Task A_change_needs_the_current_password_and_a_wrong_one_counts_as_a_failed_login()
    {
        for (var i = 0; i < 5; i++)
        {
            var change = await PasswordChange.StartAsync(_client, _alice, "another", current: $"wrong {i}");
            Assert.Equal(ProtocolError.LoginFailed, await _client.RefusalAsync(change.Finish));
        }

        var refused = await Assert.ThrowsAsync<RequestRefusedException>(() => PasswordChange.StartAsync(_client, _alice, "another"));
        Assert.Equal(Answer.Wait(TimeSpan.FromSeconds(1)), new Answer(refused.Error, refused.RetryAfter));
        Assert.Equal(Answer.Wait(TimeSpan.FromSeconds(1)), await Guess.FailAsync(_server, "alice"));

        // The channel and the session go on, and nothing was changed.
        await _client.RequestAsync<ServerList>(new ListServersRequest());
        _server.Time.AdjustTime(_server.Time.GetUtcNow().AddSeconds(1));
        Assert.True((await LogInAsync()).Succeeded);
        Assert.Empty(await _server.AuditAsync(AuditKind.PasswordChanged));
    }

    [Fact]
    public async Task A_change_that_is_not_finished_counts_as_a_failed_login()
    {
        for (var i = 0; i < 5; i++)
        {
            await PasswordChange.StartAsync(_client, _alice, "another");
        }

        // Four were replaced by the next one, and this replaces the fifth.
        var refused = await Assert.ThrowsAsync<RequestRefusedException>(() => PasswordChange.StartAsync(_client, _alice, "another"));
        Assert.Equal(ProtocolError.TooManyRequests, refused.Error);
    }

    [Fact]
    public async Task Nobody_changes_a_password_on_a_channel_that_is_not_signed_in()
    {
        await using var stranger = await _server.ConnectAsync();

        Assert.Equal(
            ProtocolError.NotSignedIn, await stranger.RefusalAsync(new StartPasswordChangeRequest(new byte[96], SampleRecord.Element())));
        Assert.Equal(ProtocolError.NotSignedIn, await stranger.RefusalAsync(MadeUpFinish()));
    }

    [Fact]
    public async Task A_second_step_without_a_first_or_after_one_that_was_refused_is_unexpected()
    {
        Assert.Equal(ProtocolError.Unexpected, await _client.RefusalAsync(MadeUpFinish()));

        var change = await PasswordChange.StartAsync(_client, _alice, "another");
        Assert.Equal(
            ProtocolError.LoginFailed,
            await _client.RefusalAsync(new StartPasswordChangeRequest(new byte[96], SampleRecord.Element())));
        Assert.Equal(ProtocolError.Unexpected, await _client.RefusalAsync(change.Finish));

        // Nor does the first step of a login take its place.
        using var proven = await _alice.ProveAsync(_client);
        Assert.Equal(ProtocolError.Unexpected, await _client.RefusalAsync(change.Finish with { Ke3 = proven.Ke3 }));
    }

    [Fact]
    public async Task A_registration_request_outside_the_group_is_refused()
    {
        using var login = OpaqueClientLogin.Start(_alice.PasswordBytes);
        foreach (var element in new[] { new byte[32], [.. Enumerable.Repeat((byte)0xFF, 32)] })
        {
            Assert.Equal(
                ProtocolError.LoginFailed, await _client.RefusalAsync(new StartPasswordChangeRequest(login.Ke1.ToArray(), element)));
        }
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(1, 1, 8)]
    [InlineData(1, 3, 65535)]
    [InlineData(1, 2, 65536)]
    [InlineData(2, 600_000, 0)]
    [InlineData(2, 1, 0)]
    [InlineData(99, 3, 65536)]
    public async Task Another_stretching_than_the_realm_asks_for_is_refused_and_changes_nothing(byte algorithm, uint iterations, uint memory)
    {
        var before = Assert.Single(await _server.ClientsAsync());
        var change = await PasswordChange.StartAsync(_client, _alice, "another");

        Assert.Equal(
            ProtocolError.Unexpected,
            await _client.RefusalAsync(change.Finish with { Stretching = new Stretching(algorithm, iterations, memory) }));

        await AssertUnchangedAsync(before);
        Assert.Equal(ProtocolError.Unexpected, await _client.RefusalAsync(change.Finish));
    }

    [Fact]
    public async Task A_record_whose_key_is_outside_the_group_is_refused_and_changes_nothing()
    {
        var before = Assert.Single(await _server.ClientsAsync());
        foreach (var record in new[] { new byte[192], [.. Enumerable.Repeat((byte)0xFF, 192)] })
        {
            var change = await PasswordChange.StartAsync(_client, _alice, "another");
            Assert.Equal(ProtocolError.Unexpected, await _client.RefusalAsync(change.Finish with { RegistrationRecord = record }));
        }

        await AssertUnchangedAsync(before);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_other_sessions_end_or_stay_as_it_is_asked(bool end)
    {
        await using var phone = await _server.ConnectAsync();
        var phones = await _alice.LoginAsync(phone, new TestDevice());
        var (_, _, bob) = await _server.SignUpQuickAsync("bob");
        await using (bob)
        {
            await PasswordChange.DoAsync(_client, _alice, "another", endOtherSessions: end);

            await _client.RequestAsync<ServerList>(new ListServersRequest());
            Assert.Null(await _server.TryPresentAsync(_ticket));
            await bob.RequestAsync<ServerList>(new ListServersRequest());
        }

        if (end)
        {
            Assert.Equal(NoticeKind.SessionEnded, (await phone.NextNoticeAsync()).Kind);
            await phone.EndedAsync();
            Assert.Equal(ProtocolError.TicketRefused, await _server.TryPresentAsync(phones));
            var revoked = Assert.Single(await _server.SessionsAsync(), static row => row.RevokedAt is not null);
            Assert.Equal((phones.Part.Session.Value, "password changed"), (revoked.Id, revoked.RevokedReason));
        }
        else
        {
            await phone.RequestAsync<ServerList>(new ListServersRequest());
            Assert.Null(await _server.TryPresentAsync(phones));
        }

        // The phone is still a device: it logs in again, with the new password.
        Assert.Equal(2, (await _server.DevicesAsync()).Count(row => row.ClientId == _alice.Client.Value && row.RevokedAt is null));
    }

    [Fact]
    public async Task Of_two_changes_at_once_one_wins()
    {
        await using var other = await _server.PresentAsync(_ticket);
        var first = await PasswordChange.StartAsync(_client, _alice, "first");
        var second = await PasswordChange.StartAsync(other, _alice, "second");

        var errors = await Task.WhenAll(FinishAsync(_client, first), FinishAsync(other, second));

        Assert.Single(errors, static error => error is null);
        Assert.Single(errors, static error => error == ProtocolError.LoginFailed);
        var (winner, loser) = errors[0] is null ? ("first", "second") : ("second", "first");
        Assert.True((await LogInAsync(winner)).Succeeded);
        Assert.False((await LogInAsync(loser)).Succeeded);
        Assert.False((await LogInAsync(_old)).Succeeded);
    }

    [Fact]
    public async Task Of_16_changes_at_once_one_wins()
    {
        var clients = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => _server.PresentAsync(_ticket)));
        var changes = await Task.WhenAll(clients.Select((client, i) => PasswordChange.StartAsync(client, _alice, $"number {i}")));

        var errors = await Task.WhenAll(clients.Select((client, i) => FinishAsync(client, changes[i])));

        var winner = Array.IndexOf(errors, null);
        Assert.Equal(15, errors.Count(static error => error == ProtocolError.LoginFailed));
        Assert.True((await LogInAsync($"number {winner}")).Succeeded);
        Assert.Single(await _server.AuditAsync(AuditKind.PasswordChanged));
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_login_that_was_under_way_with_the_old_password_fails_once_it_is_changed()
    {
        await using var other = await _server.ConnectAsync();
        using var proven = await _alice.ProveAsync(other);

        await PasswordChange.DoAsync(_client, _alice, "another");

        Assert.Equal(
            ProtocolError.LoginFailed, await other.RefusalAsync(_alice.Device.Finish(proven.Ke3, other.ChannelBinding)));
        Assert.Single(await _server.SessionsAsync());
    }

    [Fact]
    public async Task A_change_that_was_under_way_when_an_admin_reset_the_password_fails()
    {
        var change = await PasswordChange.StartAsync(_client, _alice, "of whoever holds the session");
        var token = await _server.ResetTokenAsync(_alice.Client);
        var reset = new QuickAccount("alice");
        await using var other = await _server.ConnectAsync();
        await reset.RegisterAsync(other, token);

        // The session was cut by the reset; were it not, the record that was proven is no longer there.
        await Assert.ThrowsAnyAsync<Exception>(() => _client.RequestAsync<Done>(change.Finish));
        Assert.True((await reset.TryLoginAsync(other)).Succeeded);
    }

    [Fact]
    public async Task A_client_s_challenge_serves_nobody_else_who_signs_the_channel_in()
    {
        var change = await PasswordChange.StartAsync(_client, _alice, "of another");
        var bob = new QuickAccount("bob");
        await using (var other = await _server.ConnectAsync())
        {
            await bob.RegisterAsync(other);
        }

        var before = (await _server.ClientsAsync()).ToDictionary(static row => row.Id, static row => row.OpaqueRecord);
        await bob.LoginAsync(_client);

        Assert.Equal(ProtocolError.LoginFailed, await _client.RefusalAsync(change.Finish));
        Assert.All(await _server.ClientsAsync(), row => Assert.Equal(before[row.Id], row.OpaqueRecord));
    }

    [Fact]
    public async Task A_reset_ends_every_session_and_device_and_makes_the_old_record_useless()
    {
        await using var phone = await _server.ConnectAsync();
        var phones = await _alice.LoginAsync(phone, new TestDevice());
        await StorePreviousKeysAsync([1, 2, 3]);
        var (_, _, bob) = await _server.SignUpQuickAsync("bob");
        await using (bob)
        {
            // The sessions end with the making of the token already: whoever asked an admin does not trust them.
            var token = await _server.ResetTokenAsync(_alice.Client);
            await _client.EndedAsync();
            await phone.EndedAsync();
            Assert.Equal(ProtocolError.TicketRefused, await _server.TryPresentAsync(_ticket));
            Assert.True((await LogInAsync()).Succeeded);

            await using var other = await _server.ConnectAsync();
            var reset = new QuickAccount("alice");
            await reset.RegisterAsync(other, token);

            Assert.Equal(_alice.Client, reset.Client);
            Assert.Equal(ProtocolError.TicketRefused, await _server.TryPresentAsync(phones));
            Assert.Equal(ProtocolError.LoginFailed, (await LogInAsync()).Error);
            Assert.DoesNotContain(await _server.SessionsAsync(), row => row.ClientId == _alice.Client.Value && row.RevokedAt is null);
            Assert.All(
                (await _server.DevicesAsync()).Where(row => row.ClientId == _alice.Client.Value),
                static row => Assert.Equal("password reset", row.RevokedReason));
            Assert.Empty((await bob.RequestAsync<ClientFound>(new LookUpClientRequest("alice"))).Devices);

            // A new device with the new password, and none of the old ones even with it.
            Assert.Equal(ProtocolError.DeviceRefused, (await reset.TryLoginAsync(other, _alice.Device)).Error);
            Assert.Equal("Alice", (await reset.LoginAsync(other)).Part.ClientName);
            Assert.Empty(Assert.Single(await _server.ClientsAsync(), row => row.Id == _alice.Client.Value).PreviousKeys);
        }
    }

    [Fact]
    public async Task A_new_record_is_wanted_when_the_realm_s_stretching_has_changed_and_no_longer_once_it_is_there()
    {
        Assert.False((await LogInAsync()).Ticket!.Part.WantsNewRecord);
        _server.Get<IOptions<AuthOptions>>().Value.Stretching = StretchingAlgorithm.Pbkdf2Sha256;

        await using var client = await _server.ConnectAsync();
        Assert.True((await _alice.LoginAsync(client)).Part.WantsNewRecord);
        var change = await PasswordChange.StartAsync(client, _alice, _alice.Password);
        Assert.Equal(new Stretching(1, 3, 65536), change.Challenge.Stretching);
        Assert.Equal(new Stretching(2, 600_000, 0), change.Challenge.NewStretching);
        Assert.Equal(8, change.Challenge.MinimumPasswordLength);

        // The weaker one of before is no longer taken.
        await AssertRefusedAsync(client, change.Finish with { Stretching = change.Challenge.Stretching });
        await PasswordChange.DoAsync(client, _alice, _alice.Password);

        Assert.False((await LogInAsync()).Ticket!.Part.WantsNewRecord);
        var row = Assert.Single(await _server.ClientsAsync());
        Assert.Equal((StretchingAlgorithm.Pbkdf2Sha256, 600_000u, 0u), (row.StretchingAlgorithm, row.StretchingIterations, row.StretchingMemoryKiB));
        await client.RequestAsync<ServerList>(new ListServersRequest());
    }

    [Fact]
    public async Task A_new_record_is_wanted_when_the_realm_s_OPAQUE_keys_have_changed_and_no_longer_once_it_is_there()
    {
        Assert.Equal(2u, await _server.RotateAsync(RealmKeyPurpose.OprfSeed));

        await using var client = await _server.ConnectAsync();
        Assert.True((await _alice.LoginAsync(client)).Part.WantsNewRecord);
        await PasswordChange.DoAsync(client, _alice, _alice.Password);

        Assert.False((await LogInAsync()).Ticket!.Part.WantsNewRecord);
        Assert.Equal(2u, Assert.Single(await _server.ClientsAsync()).OpaqueKeyVersion);
    }

    [Fact]
    public async Task A_new_record_is_not_asked_for_by_a_renewal()
    {
        await _server.RotateAsync(RealmKeyPurpose.OprfSeed);

        Assert.False((await _client.RenewAsync(_ticket)).Part.WantsNewRecord);
    }

    [Fact]
    public async Task The_list_of_earlier_keys_is_stored_with_the_record_and_given_back()
    {
        var keys = RandomNumberGenerator.GetBytes(ProtocolLimits.PreviousKeysBytes);
        await StorePreviousKeysAsync(keys);

        Assert.Equal(keys, (await PasswordChange.StartAsync(_client, _alice, "third")).Challenge.PreviousKeys);
    }

    private static FinishPasswordChangeRequest MadeUpFinish() => new(new byte[64], SampleRecord.Make(), SampleRecord.Stretching, [], false);

    private static async Task<ProtocolError?> FinishAsync(TestClient client, PasswordChange change)
    {
        try
        {
            await client.RequestAsync<Done>(change.Finish);
            return null;
        }
        catch (RequestRefusedException e)
        {
            return e.Error;
        }
    }

    private static async Task AssertRefusedAsync(TestClient client, FinishPasswordChangeRequest request) =>
        Assert.Equal(ProtocolError.Unexpected, await client.RefusalAsync(request));

    // On a channel of its own, from a new device.
    private async Task<LoginOutcome> LogInAsync(string? password = null)
    {
        await using var client = await _server.ConnectAsync();
        var account = password is null ? _alice : new QuickAccount("alice", password);
        return await account.TryLoginAsync(client, _alice.Device);
    }

    private async Task StorePreviousKeysAsync(byte[] keys)
    {
        var change = await PasswordChange.StartAsync(_client, _alice, "another", previousKeys: keys);
        await _client.RequestAsync<Done>(change.Finish);
        _alice.Password = "another";
    }

    private async Task AssertUnchangedAsync(ClientRow before)
    {
        var after = Assert.Single(await _server.ClientsAsync());
        Assert.Equal(before.OpaqueRecord, after.OpaqueRecord);
        Assert.Equal(
            (before.StretchingAlgorithm, before.StretchingIterations, before.StretchingMemoryKiB, before.PasswordChangedAt),
            (after.StretchingAlgorithm, after.StretchingIterations, after.StretchingMemoryKiB, after.PasswordChangedAt));
        Assert.True((await LogInAsync()).Succeeded);
    }
}
