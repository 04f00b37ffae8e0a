using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.MessageServer.Tests.Enrolment;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>An enrolled server that its realm refuses, and the token that makes it a member again.</summary>
public sealed class EnrolmentAnewTests : IAsyncLifetime
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 60_000;

    private const string Token = "kmsg_enrol_anew";

    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(500);

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly TempFolder _folder = new();
    private readonly TestDevice _alice = TestDevice.Of("alice");
    private readonly TestDevice _bob = TestDevice.Of("bob");
    private TestRealm _realm = null!;
    private ScriptedAuthServer _auth = null!;
    private TestServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string TokenFile => _folder.File("token");

    public async ValueTask InitializeAsync()
    {
        _realm = new TestRealm();
        _auth = ScriptedAuthServer.Of(_realm);
        _auth.Enrolled = null;
        _auth.Enrol = Take;
        _server = await TestServer.StartAsync(_realm, _time, [.. _auth.Arguments, $"--Realm:EnrolmentTokenFile={TokenFile}"]);
        await _server.Log.WaitForAsync(LogLevel.Warning, "refuses this server", Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _auth.DisposeAsync();
        _folder.Dispose();
    }

    [Fact(Timeout = Patience)]
    public async Task A_token_for_its_id_makes_it_a_member_again_with_its_mailboxes_and_another_key()
    {
        await (await _server.SignInAsync(_bob, Cancellation)).DisposeAsync();
        await using (var alice = await _server.SignInAsync(_alice, Cancellation))
        {
            await alice.SendAsync(_bob, Cancellation);
        }

        await File.WriteAllTextAsync(TokenFile, Token + "\n", Cancellation);
        await ConnectedAsync();
        var request = Assert.Single(_auth.Requests);
        Assert.Equal(Token, request.Token);
        Assert.NotEqual(_realm.ServerKey.PublicKey.ToArray(), request.SigningKey);
        Assert.Contains(_server.Log.Lines, line => line.Text.Contains($"Enrolled anew as server {_realm.Server}", StringComparison.Ordinal));
        await AssertMailboxAsync(request.SigningKey);

        // It is what it is after a restart too, and a token that was used is not tried again.
        await _server.StopAsync();
        _auth.Enrolled = null;
        await _server.StartAgainAsync();
        await _server.Log.WaitForAsync(LogLevel.Warning, "refuses this server", Cancellation, count: 2);
        await AssertMailboxAsync(request.SigningKey);
        Assert.Single(_auth.Requests);
        Assert.DoesNotContain(_server.Log.Lines, static line => line.Text.Contains(Token, StringComparison.Ordinal));
    }

    [Fact(Timeout = Patience)]
    public async Task After_a_lost_reply_it_asks_again_with_the_same_key()
    {
        _auth.Enrol = static _ => null;
        await File.WriteAllTextAsync(TokenFile, Token, Cancellation);
        await _time.PassesAsync(Step, _server.Log.WaitForAsync(LogLevel.Warning, "Not enrolled anew", Cancellation), Cancellation);
        _auth.Enrol = Take;
        await ConnectedAsync();
        Assert.True(_auth.Requests.Count >= 2);
        Assert.Single(_auth.Requests.Select(static request => Convert.ToHexString(request.SigningKey)).Distinct());
    }

    [Fact(Timeout = Patience)]
    public async Task A_token_for_another_id_is_not_taken_and_not_tried_twice()
    {
        _auth.Enrol = _ => new ServerRegistered(ServerId.New(), _realm.WireKeys);
        await File.WriteAllTextAsync(TokenFile, Token, Cancellation);
        await _time.PassesAsync(
            Step, _server.Log.WaitForAsync(LogLevel.Warning, "was not made for this server", Cancellation), Cancellation);
        var accepted = _auth.Accepted;
        await _time.PassesAsync(Step, () => _auth.Accepted > accepted + 2, Cancellation);
        Assert.Single(_auth.Requests);

        // Its old key is still its key: the operator may only have disabled it.
        await using var client = await _server.ConnectAsync(Cancellation);
        Assert.Equal(_realm.Server, client.Connection.Channel.Server);
        _auth.Enrolled = _realm.ServerKey.PublicKey;
        await ConnectedAsync();
    }

    [Fact(Timeout = Patience)]
    public async Task A_refused_token_is_told_once_and_it_or_another_one_is_tried_again()
    {
        _auth.Enrol = static _ => new ErrorReply(ProtocolError.EnrolmentRefused, 0);
        await File.WriteAllTextAsync(TokenFile, "kmsg_enrol_expired", Cancellation);
        await _time.PassesAsync(Step, _server.Log.WaitForAsync(LogLevel.Warning, "refused the enrolment", Cancellation), Cancellation);
        await _time.PassesAsync(Step, () => _auth.Requests.Count == 3, Cancellation);
        Assert.Single(_server.Log.Lines, static line => line.Text.Contains("refused the enrolment", StringComparison.Ordinal));
        Assert.Single(_auth.Requests.Select(static request => Convert.ToHexString(request.SigningKey)).Distinct());
        _auth.Enrol = Take;
        await File.WriteAllTextAsync(TokenFile, Token, Cancellation);
        await ConnectedAsync();
        Assert.Equal(Token, _auth.Requests.Last().Token);
    }

    private ServerRegistered Take(RegisterServerRequest request)
    {
        _auth.Enrolled = request.SigningKey;
        return new ServerRegistered(_realm.Server, _realm.WireKeys);
    }

    private Task<string> ConnectedAsync() => _time.PassesAsync(
        Step, _server.Log.WaitForAsync(LogLevel.Information, "Connected to the auth server", Cancellation), Cancellation);

    private async Task AssertMailboxAsync(byte[] serverKey)
    {
        await using var bob = await _server.ConnectAsync(Cancellation, serverKey);
        await _realm.Issue(_bob, _server.Now).PresentAsync(bob.Connection, Cancellation);
        Assert.Equal(1ul, (await bob.GrantAsync(1, Cancellation)).NewestWaiting);
    }
}
