using System.Diagnostics;
using KerberosMessaging.Client.Accounts;
using KerberosMessaging.Client.Tests.Support;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Client.Tests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>Registration, passwords and their records, where the realm does not do what it should, or in time.</summary>
public sealed class AccountTests : IAsyncDisposable
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 60_000;

    private readonly TempFolder _folder = new();
    private readonly ScriptedRealm _realm = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private MessagingOptions Options => ScriptedRealm.Options(_folder, "alice") with { OperationTimeout = TimeSpan.FromSeconds(20) };

    public async ValueTask DisposeAsync()
    {
        await _realm.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("1234567", 7)]
    [InlineData("äöüÄÖÜß", 7)]
    [InlineData("漢字漢字漢字漢字", 8)]
    [InlineData("👩‍👩‍👧‍👦", 7)]
    public void A_password_is_as_long_as_it_has_code_points(string characters, ushort length)
    {
        using var password = Password.FromCharacters(characters);

        NewPassword.RefuseIfShort(password, length);
        var e = Assert.Throws<MessagingException>(() => NewPassword.RefuseIfShort(password, (ushort)(length + 1)));

        Assert.Equal(MessagingFailure.PasswordTooShort, e.Failure);
        Assert.Contains($"at least {length + 1} characters", e.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = Patience)]
    public async Task No_record_of_a_password_that_is_too_short_is_sent()
    {
        // Eight characters of .NET's, but four of Unicode's.
        using var password = Password.FromCharacters("😀😀😀😀");

        await Refusal.OfAsync(
            MessagingFailure.PasswordTooShort,
            () => MessagingClient.RegisterAsync(_realm.Pin, "alice", password, Options, cancellationToken: Cancel));

        Assert.Equal([MessageCode.RegisterClient], Codes());
    }

    [Fact(Timeout = Patience)]
    public async Task A_token_goes_to_the_realm_as_it_is_and_one_that_cannot_be_sent_is_none()
    {
        using var password = ScriptedRealm.PasswordOf("alice");
        await MessagingClient.RegisterAsync(_realm.Pin, "alice", password, Options, "kmsg_token", Cancel);
        var sent = WireReader.ReadWhole<RegisterClientRequest>(_realm.Auth.Requests[0].Payload);
        Assert.Equal("kmsg_token", sent.Token);
        var requests = _realm.Auth.Requests.Count;

        foreach (var token in new[] { new string('x', 129), "half a character: \uD800" })
        {
            var e = await Refusal.OfAsync(
                MessagingFailure.InviteRefused,
                () => MessagingClient.RegisterAsync(_realm.Pin, "bob", password, Options, token, Cancel));
            Assert.DoesNotContain(token, e.ToString(), StringComparison.Ordinal);
        }

        Assert.Equal(requests, _realm.Auth.Requests.Count);
    }

    [Fact(Timeout = Patience)]
    public async Task A_registration_that_is_never_answered_is_given_up()
    {
        _realm.Auth.Twist(MessageCode.RegisterClient, static _ => null);
        using var password = ScriptedRealm.PasswordOf("alice");

        await Refusal.OfAsync(
            MessagingFailure.Unreachable,
            () => MessagingClient.RegisterAsync(
                _realm.Pin, "alice", password, Options with { OperationTimeout = TimeSpan.FromSeconds(1) }, cancellationToken: Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task A_login_that_comes_too_early_is_told_how_long_to_wait()
    {
        await JoinAndLeaveAsync();
        _realm.Auth.Twist(MessageCode.StartLogin, static _ => new ErrorReply(ProtocolError.TooManyRequests, 89_100));

        var e = await Refusal.OfAsync(MessagingFailure.TooManyRequests, LoginAsync);

        Assert.Equal(TimeSpan.FromMilliseconds(89_100), e.RetryAfter);
        Assert.Equal("too many failed logins or requests; try again in 90 s", e.Message);
    }

    [Fact(Timeout = Patience)]
    public async Task A_disabled_client_is_told_so()
    {
        await JoinAndLeaveAsync();
        _realm.Auth.Twist(MessageCode.FinishLogin, static _ => new ErrorReply(ProtocolError.ClientDisabled, 0));

        await Refusal.OfAsync(MessagingFailure.ClientDisabled, LoginAsync);
    }

    [Fact(Timeout = Patience)]
    public async Task A_request_is_tried_again_when_the_server_says_and_not_before()
    {
        await using var alice = await _realm.JoinAsync(_folder, "alice", Cancel, TimeSpan.FromSeconds(20));
        await using var bob = await _realm.JoinAsync(_folder, "bob", Cancel);
        var wait = TimeSpan.FromSeconds(1);
        var isFirst = 1;
        _realm.Auth.Twist(MessageCode.LookUpClient, reply => Interlocked.Exchange(ref isFirst, 0) == 1
            ? new ErrorReply(ProtocolError.TooManyRequests, (uint)wait.TotalMilliseconds)
            : reply);
        var watch = Stopwatch.StartNew();

        await alice.GetContactAsync("bob", Cancel);

        Assert.InRange(watch.Elapsed, wait, TimeSpan.MaxValue);
    }

    [Fact(Timeout = Patience)]
    public async Task A_wait_that_does_not_fit_the_time_limit_is_not_begun()
    {
        await using var alice = await _realm.JoinAsync(_folder, "alice", Cancel, TimeSpan.FromSeconds(20));
        _realm.Auth.Twist(MessageCode.LookUpClient, static _ => new ErrorReply(ProtocolError.TooManyRequests, 3_600_000));
        var asked = Codes().Count(static code => code == MessageCode.LookUpClient);

        var e = await Refusal.OfAsync(MessagingFailure.TooManyRequests, () => alice.GetContactAsync("alice", Cancel));

        Assert.Equal(TimeSpan.FromHours(1), e.RetryAfter);
        Assert.Equal(asked + 1, Codes().Count(static code => code == MessageCode.LookUpClient));
    }

    [Fact(Timeout = Patience)]
    public async Task A_change_that_is_not_answered_is_not_sent_again_and_leaves_a_store_that_the_new_password_opens()
    {
        using var old = ScriptedRealm.PasswordOf("alice");
        using var replacement = ScriptedRealm.PasswordOf("alice anew");
        await using (var alice = await _realm.JoinAsync(_folder, "alice", Cancel, TimeSpan.FromSeconds(20)))
        {
            using var breaking = _realm.Auth.Twist(
                MessageCode.FinishPasswordChange, static _ => throw new IOException("the connection breaks once the record is stored"));

            var e = await Refusal.OfAsync(
                MessagingFailure.Unreachable, () => alice.ChangePasswordAsync(old, replacement, cancellationToken: Cancel));

            Assert.Contains("either the old one or the new one", e.Message, StringComparison.Ordinal);
            Assert.Single(Codes(), MessageCode.FinishPasswordChange);
        }

        await Refusal.OfAsync(MessagingFailure.LoginFailed, () => LoginAsync(old));
        await LoginAsync(replacement);
        Assert.Single(Codes(), MessageCode.FetchPreviousKeys);

        // By then it is sealed under the new key.
        await LoginAsync(replacement);
        Assert.Single(Codes(), MessageCode.FetchPreviousKeys);
    }

    [Fact(Timeout = Patience)]
    public async Task A_realm_that_does_not_know_the_record_gets_no_proof_at_a_change()
    {
        await using var alice = await _realm.JoinAsync(_folder, "alice", Cancel);
        using var wrong = ScriptedRealm.PasswordOf("mallory");
        using var replacement = ScriptedRealm.PasswordOf("alice anew");

        var e = await Refusal.OfAsync(
            MessagingFailure.LoginFailed, () => alice.ChangePasswordAsync(wrong, replacement, cancellationToken: Cancel));

        Assert.Equal("the current password is wrong", e.Message);
        Assert.DoesNotContain(MessageCode.FinishPasswordChange, Codes());
    }

    [Fact(Timeout = Patience)]
    public async Task A_new_record_is_made_when_the_realm_asks_even_for_a_password_that_is_too_short_by_now()
    {
        await JoinAndLeaveAsync();
        var record = _realm.Find("alice").Record;
        _realm.Find("alice").WantsNewRecord = true;
        _realm.Auth.Twist(
            MessageCode.StartPasswordChange, static reply => (PasswordChangeChallenge)reply! with { MinimumPasswordLength = 1000 });

        await LoginAsync();

        Assert.NotEqual(record, _realm.Find("alice").Record);
        Assert.NotEmpty(_realm.Find("alice").PreviousKeys);
        var change = WireReader.ReadWhole<FinishPasswordChangeRequest>(
            _realm.Auth.Requests.Single(static request => request.Code == MessageCode.FinishPasswordChange).Payload);
        Assert.False(change.EndOtherSessions);

        // The store is sealed under the new record's key: the next login needs no other.
        await LoginAsync();
        Assert.DoesNotContain(MessageCode.FetchPreviousKeys, Codes());
    }

    [Fact(Timeout = Patience)]
    public async Task A_login_stands_when_no_new_record_could_be_made_and_the_next_one_tries_again()
    {
        await JoinAndLeaveAsync();
        var record = _realm.Find("alice").Record;
        _realm.Find("alice").WantsNewRecord = true;
        using (_realm.Auth.Twist(MessageCode.StartPasswordChange, static _ => new ErrorReply(ProtocolError.Unexpected, 0)))
        {
            await LoginAsync();
        }

        Assert.Equal(record, _realm.Find("alice").Record);
        await LoginAsync();
        Assert.NotEqual(record, _realm.Find("alice").Record);
    }

    [Fact(Timeout = Patience)]
    public async Task A_store_that_nothing_opens_is_not_shown_to_the_realm_and_not_replaced()
    {
        await JoinAndLeaveAsync();
        var store = await File.ReadAllBytesAsync(Options.StorePath, Cancel);
        using var elsewhere = ScriptedRealm.PasswordOf("bob");
        await MessagingClient.RegisterAsync(_realm.Pin, "bob", elsewhere, Options, cancellationToken: Cancel);
        var logins = Codes().Count(static code => code == MessageCode.FinishLogin);

        await Refusal.OfAsync(
            MessagingFailure.StoreUnusable,
            () => MessagingClient.LoginAsync(_realm.Pin, "bob", elsewhere, Options, cancellationToken: Cancel));

        Assert.Equal(logins, Codes().Count(static code => code == MessageCode.FinishLogin));
        Assert.Equal(store, await File.ReadAllBytesAsync(Options.StorePath, Cancel));
        await LoginAsync();
    }

    [Fact(Timeout = Patience)]
    public async Task A_message_server_that_is_not_the_listed_one_gets_no_ticket()
    {
        var other = ServerId.New();
        _realm.Auth.Twist(MessageCode.LookUpClient, reply => (ClientFound)reply! with { HomeServer = other });
        _realm.Auth.Twist(MessageCode.ListServers, reply => new ServerList([((ServerList)reply!).Servers[0] with { Server = other }]));

        await Refusal.OfAsync(MessagingFailure.UntrustedServer, () => _realm.JoinAsync(_folder, "alice", Cancel));

        Assert.Empty(_realm.Message.Requests);
    }

    private List<MessageCode> Codes() => [.. _realm.Auth.Requests.Select(static request => request.Code)];

    private async Task JoinAndLeaveAsync()
    {
        await using (await _realm.JoinAsync(_folder, "alice", Cancel, TimeSpan.FromSeconds(20)))
        {
        }
    }

    private async Task LoginAsync()
    {
        using var password = ScriptedRealm.PasswordOf("alice");
        await LoginAsync(password);
    }

    private async Task LoginAsync(SecretBytes password)
    {
        await using var client = await MessagingClient.LoginAsync(_realm.Pin, "alice", password, Options, cancellationToken: Cancel);
    }
}
