using System.Net;
using System.Net.Sockets;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using Microsoft.Extensions.Logging;

namespace KerberosMessaging.AuthServer.Tests.Attacks;

/// <summary>Bytes that were good once are sent again: by somebody on the path, or by one who even has the messages in clear.</summary>
public sealed class ReplayTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private TestMessageServer _messages = null!;
    private QuickAccount _alice = null!;
    private TestTicket _ticket = null!;
    private TestClient _client = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _messages = await _server.EnrolAsync();
        (_alice, _ticket, _client) = await _server.SignUpQuickAsync("alice");
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData(MessageCode.StartLogin)]
    [InlineData(MessageCode.FinishLogin)]
    [InlineData(MessageCode.RequestServiceTicket)]
    [InlineData(MessageCode.PresentTicket)]
    [InlineData(MessageCode.RenewTicket)]
    public async Task A_frame_sent_again_on_its_own_connection_ends_it(MessageCode code)
    {
        await using var proxy = new InjectingProxy(_server.Port);
        await using var client = await _server.ConnectAsync(proxy.Port);
        await ExchangeAsync(client, code);
        var sessions = (await _server.SessionsAsync()).Count;

        await proxy.InjectAsync(FrameOf(proxy.FromClient, code));

        Assert.Equal(ProtocolError.ChannelFailed, (await client.EndedAsync()).PeerError);
        Assert.Equal(sessions, (await _server.SessionsAsync()).Count);
    }

    [Fact]
    public async Task A_frame_of_the_server_sent_back_to_it_ends_the_connection()
    {
        await using var proxy = new InjectingProxy(_server.Port);
        await using var client = await _server.ConnectAsync(proxy.Port);
        await _alice.LoginAsync(client);

        await proxy.InjectAsync(FrameOf(proxy.FromServer, MessageCode.LoginChallenge));

        Assert.Equal(ProtocolError.ChannelFailed, (await client.EndedAsync()).PeerError);
    }

    [Fact]
    public async Task A_whole_recorded_connection_sent_again_opens_nothing()
    {
        await using var proxy = new InjectingProxy(_server.Port);
        await using (var client = await _server.ConnectAsync(proxy.Port))
        {
            await _alice.LoginAsync(client);
            await client.RequestAsync<Done>(new LogoutRequest(Everywhere: false));
        }

        var sessions = (await _server.SessionsAsync()).Count;
        using var again = new TcpClient { NoDelay = true };
        await again.ConnectAsync(IPAddress.Loopback, _server.Port, Cancel);
        await again.GetStream().WriteAsync(proxy.FromClient, Cancel);

        // The server answers the hello, since anybody may say that, and ends at the first record: its keys are others now.
        await Eventually.TrueAsync(() => _server.Log.Lines.Any(static line =>
            line.Level == LogLevel.Information && line.Text.Contains(nameof(ProtocolError.ChannelFailed), StringComparison.Ordinal)));
        Assert.Equal(sessions, (await _server.SessionsAsync()).Count);
        Assert.Empty(_server.Log.Errors);
    }

    [Fact]
    public async Task The_messages_of_a_login_are_refused_on_another_channel_even_by_one_who_has_them_in_clear()
    {
        await using var recorded = await _server.ConnectAsync();
        using var login = OpaqueClientLogin.Start(_alice.PasswordBytes);
        var ke1 = login.Ke1.ToArray();
        var challenge = await recorded.StartLoginAsync("alice", login);
        using var proven = QuickOpaque.Finish(login, challenge.Ke2, recorded.ChannelBinding)!;
        var finish = _alice.Device.Finish(proven.Ke3, recorded.ChannelBinding);
        await recorded.RequestAsync<TicketGranted>(finish);
        var sessions = (await _server.SessionsAsync()).Count;

        for (var i = 0; i < 3; i++)
        {
            await using var other = await _server.ConnectAsync();
            var again = await other.RequestAsync<LoginChallenge>(new StartLoginRequest("alice", ke1));
            Assert.NotEqual(challenge.Ke2[32..], again.Ke2[32..]);
            Assert.Equal(ProtocolError.LoginFailed, await other.RefusalAsync(finish));
        }

        // Nor on the channel that they were good on.
        await recorded.RequestAsync<LoginChallenge>(new StartLoginRequest("alice", ke1));
        Assert.Equal(ProtocolError.LoginFailed, await recorded.RefusalAsync(finish));
        Assert.Equal(sessions, (await _server.SessionsAsync()).Count);
    }

    [Theory]
    [InlineData(MessageCode.RequestServiceTicket)]
    [InlineData(MessageCode.PresentTicket)]
    [InlineData(MessageCode.RenewTicket)]
    public async Task A_request_with_a_ticket_is_refused_after_its_client_has_connected_anew(MessageCode code)
    {
        IWireMessage asSent;
        await using (var before = await _server.ConnectAsync())
        {
            asSent = _ticket.Request(before, code, server: _messages.Registered.Server);
            await before.RequestAsync(asSent);
        }

        for (var i = 0; i < 3; i++)
        {
            await using var after = await _server.ConnectAsync();
            Assert.Equal(ProtocolError.TicketRefused, await after.RefusalAsync(asSent));
        }
    }

    [Fact]
    public async Task The_second_step_of_a_registration_does_not_register_again()
    {
        await using var client = await _server.ConnectAsync();
        var bob = new QuickAccount("bob");
        var finish = await bob.RegisterAsync(client);

        // On the same channel, on another one, and on one whose own first step was for the same name.
        Assert.Equal(RegistrationRefusal.RecordRefused, await client.RegistrationRefusalAsync(finish));
        await using var other = await _server.ConnectAsync();
        Assert.Equal(RegistrationRefusal.RecordRefused, await other.RegistrationRefusalAsync(finish));
        Assert.Equal(2, (await _server.ClientsAsync()).Count);
    }

    [Fact]
    public async Task A_change_of_password_sent_again_changes_nothing()
    {
        var change = await PasswordChange.StartAsync(_client, _alice, "another password");
        await _client.RequestAsync<Done>(change.Finish);
        var changed = Assert.Single(await _server.ClientsAsync()).OpaqueRecord;

        Assert.Equal(ProtocolError.Unexpected, await _client.RefusalAsync(change.Finish));
        await using var other = await _server.PresentAsync(_ticket);
        Assert.Equal(ProtocolError.Unexpected, await other.RefusalAsync(change.Finish));
        await PasswordChange.StartAsync(other, _alice, "a third", current: "another password");
        Assert.Equal(ProtocolError.LoginFailed, await other.RefusalAsync(change.Finish));

        Assert.Equal(changed, Assert.Single(await _server.ClientsAsync()).OpaqueRecord);
    }

    [Fact]
    public async Task A_message_server_s_proof_is_refused_on_another_channel()
    {
        var member = await TestMember.EnrolAsync(_server, "msg-2");
        await using var first = await MemberLink.ConnectAsync(_server);
        await using var second = await MemberLink.ConnectAsync(_server);
        var proof = member.Proof(first.ChannelBinding);
        await first.RequestAsync<ServerKeys>(proof);

        Assert.Equal(ProtocolError.EnrolmentRefused, await second.RefusalAsync(proof));
        Assert.Equal(ProtocolError.NotSignedIn, await second.RefusalAsync(new FetchServerKeysRequest()));
    }

    private async Task ExchangeAsync(TestClient client, MessageCode code)
    {
        switch (code)
        {
            case MessageCode.StartLogin:
                (await _alice.ProveAsync(client)).Dispose();
                break;
            case MessageCode.FinishLogin:
                await _alice.LoginAsync(client);
                break;
            case MessageCode.PresentTicket:
                await client.PresentAsync(_ticket);
                break;
            default:
                await client.RequestAsync(_ticket.Request(client, code, server: _messages.Registered.Server));
                break;
        }
    }

    // As it went over the wire, header and all.
    private static byte[] FrameOf(byte[] stream, MessageCode code)
    {
        var offset = 0;
        foreach (var (header, payload) in RecordingProxy.Frames(stream))
        {
            var size = FrameHeader.Size + payload.Length;
            if (header.Code == code)
            {
                return stream[offset..(offset + size)];
            }

            offset += size;
        }

        throw new InvalidOperationException($"No {code} passed.");
    }
}
