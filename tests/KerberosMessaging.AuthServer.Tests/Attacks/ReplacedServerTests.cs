using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;

namespace KerberosMessaging.AuthServer.Tests.Attacks;

/// <summary>
/// A message server's key was stolen and an admin had the server enrolled anew, or disabled it. The thief still has all that
/// the server had: its key, its token, and open channels.
/// </summary>
public sealed class ReplacedServerTests : IAsyncLifetime
{
    private readonly TestMember _stolen = new();
    private TestServer _server = null!;
    private string _token = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _token = await AuthServerApp.CreateEnrolmentTokenAsync(_server.App);
        await using var client = await _server.ConnectAsync();
        await _stolen.EnrolAsync(client, _token);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task The_token_that_the_stolen_key_enrolled_with_no_longer_tells_it_the_server_s_keys()
    {
        await EnrolAnewAsync();
        await using var thief = await _server.ConnectAsync();

        Assert.Equal(ProtocolError.EnrolmentRefused, await thief.RefusalAsync(_stolen.Enrolment(thief.ChannelBinding, _token)));
    }

    [Fact]
    public async Task A_channel_that_was_authenticated_with_the_stolen_key_is_told_no_new_keys_and_confirms_none()
    {
        await using var thief = await _stolen.ArriveAsync(_server);
        await EnrolAnewAsync();

        await AssertNoAnswerAsync(thief, new FetchServerKeysRequest());
        await AssertNoAnswerAsync(thief, new ConfirmServerKeysRequest(1, 1));
    }

    [Fact]
    public async Task A_channel_that_was_authenticated_with_the_stolen_key_is_told_of_no_revocations()
    {
        await using var thief = await _stolen.ArriveAsync(_server);
        await EnrolAnewAsync();

        await AssertNoAnswerAsync(thief, new SubscribeRevocationsRequest(0));
    }

    [Fact]
    public async Task A_disabled_server_s_channel_is_told_of_no_revocations()
    {
        await using var thief = await _stolen.ArriveAsync(_server);
        await _server.Get<MessageServers>().SetDisabledAsync(_stolen.Id, true, Precondition.None, TestServerDomain.Admin, Cancel);

        await AssertNoAnswerAsync(thief, new SubscribeRevocationsRequest(0));
    }

    [Fact]
    public async Task A_proof_with_the_stolen_key_that_is_checked_just_before_the_key_is_replaced_is_worth_nothing_after_it()
    {
        var anew = new TestMember("msg-1 again");
        var made = await MakeTokenAsync();
        await using var thief = await MemberLink.ConnectAsync(_server);
        Exception? refusal;
        using (var held = await HeldWriter.HoldAsync(_server))
        {
            // The enrolment waits for the disk, and behind it the thief, whose proof was good when it was looked at.
            var enrolling = _server.Get<MessageServers>().EnrolAsync(
                made, new ServerAddress(anew.Name, "msg.example", 1257), anew.Key.PublicKey.ToArray(), TestServerDomain.Admin, Cancel);
            var arriving = Record.ExceptionAsync(() => thief.RequestAsync<ServerKeys>(_stolen.Proof(thief.ChannelBinding, host: "evil.example")));
            await HeldWriter.WaitingAsync(_server, 2);
            held.Dispose();
            Assert.NotNull(await enrolling);
            refusal = await arriving;
        }

        Assert.True(refusal is RequestRefusedException or ChannelException, $"{refusal}");
        Assert.Equal("msg.example", _server.Get<MessageServers>().Find(_stolen.Id)!.Host);
    }

    private static async Task AssertNoAnswerAsync(MemberLink link, IWireMessage request)
    {
        var e = await Record.ExceptionAsync(() => Wait.ForAsync(link.Connection.RequestAsync(request, Cancel)));
        Assert.True(e is RequestRefusedException or ChannelException, $"{request}: {e}");
    }

    private async Task<string> MakeTokenAsync() =>
        (await _server.Get<OneTimeTokens>().MakeEnrolmentAsync(_stolen.Id.Value, TimeSpan.FromHours(1), TestServerDomain.Admin, Cancel)).Token;

    private async Task EnrolAnewAsync()
    {
        await using var client = await _server.ConnectAsync();
        await new TestMember("msg-1 again").EnrolAsync(client, await MakeTokenAsync());
    }
}
