using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;
using Microsoft.Extensions.Logging;

namespace KerberosMessaging.AuthServer.Tests;

public sealed class AccessTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private TestAccount _alice = null!;
    private TestTicket _ticket = null!;
    private TestClient _loggedIn = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        (_alice, _ticket, _loggedIn) = await _server.SignUpAsync("alice");
    }

    public async ValueTask DisposeAsync()
    {
        await _loggedIn.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Nothing_is_told_to_a_channel_that_is_not_signed_in()
    {
        await using var client = await _server.ConnectAsync();

        await AssertNotSignedInAsync(client);

        // The channel is as good as before.
        await client.PresentAsync(_ticket);
        await client.RequestAsync<ServerList>(new ListServersRequest());
    }

    [Fact]
    public async Task A_presented_ticket_signs_the_channel_in_and_the_server_proves_itself()
    {
        await using var client = await _server.ConnectAsync();

        var proof = await client.PresentAsync(_ticket);

        Assert.Equal((_server.Time.GetUtcNow(), _ticket.Part.Times.EndsAt), (proof.ServerTime, proof.EndsAt));
        for (var i = 0; i < 3; i++)
        {
            await client.RequestAsync<ServerList>(new ListServersRequest());
            Assert.Equal(_ticket.Part.Client, (await client.RequestAsync<ClientFound>(new LookUpClientRequest("alice"))).Client);
        }

        Assert.Single(await _server.SessionsAsync());
    }

    [Fact]
    public async Task After_a_presented_ticket_the_channel_goes_on_for_those_alone_who_know_its_session_key()
    {
        await using var client = await _server.ConnectAsync();

        // A plain request: this client does not mix the session key in.
        Assert.Equal(
            MessageCode.TicketAccepted,
            (await client.RequestAsync(_ticket.Request(client, MessageCode.PresentTicket))).Code);
        await Assert.ThrowsAsync<ChannelException>(() => client.RequestAsync(new ListServersRequest()));

        Assert.Contains(_server.Log.Lines, static line =>
            line.Level == LogLevel.Information && line.Text.Contains(nameof(ProtocolError.ChannelFailed), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_ticket_may_be_presented_again_on_the_same_channel()
    {
        await using var client = await _server.ConnectAsync();
        await client.PresentAsync(_ticket);
        await client.PresentAsync(await client.RenewAsync(_ticket));
        await client.PresentAsync(_ticket);

        await client.RequestAsync<ServerList>(new ListServersRequest());
        await _loggedIn.PresentAsync(_ticket);
        await _loggedIn.RequestAsync<ServerList>(new ListServersRequest());
    }

    [Fact]
    public async Task A_ticket_of_another_session_is_refused_on_a_channel_that_is_signed_in()
    {
        var (_, bobs, bob) = await _server.SignUpAsync("bob");
        await using (bob)
        {
            var other = await bob.LoginAsync(_alice);

            Assert.Equal(
                ProtocolError.TicketRefused, await _loggedIn.RefusalAsync(bobs.Request(_loggedIn, MessageCode.PresentTicket)));
            Assert.Equal(
                ProtocolError.TicketRefused, await _loggedIn.RefusalAsync(other.Request(_loggedIn, MessageCode.PresentTicket)));
            await _loggedIn.RequestAsync<ServerList>(new ListServersRequest());
        }
    }

    [Fact]
    public async Task A_channel_ends_with_its_ticket_and_is_told_so()
    {
        await using var client = await _server.ConnectAsync();
        await client.PresentAsync(_ticket);

        _server.Time.Advance(_ticket.Part.Times.EndsAt - _server.Time.GetUtcNow() - TimeSpan.FromMilliseconds(1));
        await client.RequestAsync<ServerList>(new ListServersRequest());
        await _loggedIn.RequestAsync<ServerList>(new ListServersRequest());

        _server.Time.Advance(TimeSpan.FromMilliseconds(1));
        foreach (var ended in new[] { client, _loggedIn })
        {
            Assert.Equal(new Notice(NoticeKind.SessionEnded, 0), await ended.NextNoticeAsync());
            Assert.Equal(ChannelFailure.ConnectionLost, (await ended.EndedAsync()).Failure);
        }

        Assert.Empty(_server.Log.Errors);
    }

    [Fact]
    public async Task A_channel_outlives_its_ticket_when_a_fresh_one_is_presented()
    {
        await using var client = await _server.ConnectAsync();
        await client.PresentAsync(_ticket);
        _server.Time.Advance(TimeSpan.FromHours(9));
        var renewed = await client.RenewAsync(_ticket);
        var proof = await client.PresentAsync(renewed);
        Assert.Equal(renewed.Part.Times.EndsAt, proof.EndsAt);

        // The other channel has been shown no fresh ticket.
        _server.Time.Advance(TimeSpan.FromHours(2));
        Assert.Equal(NoticeKind.SessionEnded, (await _loggedIn.NextNoticeAsync()).Kind);
        await client.RequestAsync<ServerList>(new ListServersRequest());

        _server.Time.Advance(TimeSpan.FromHours(8));
        Assert.Equal(NoticeKind.SessionEnded, (await client.NextNoticeAsync()).Kind);
    }

    [Fact]
    public async Task Logout_signs_the_channel_out_and_leaves_it_open()
    {
        await _loggedIn.RequestAsync<Done>(new LogoutRequest(Everywhere: false));

        await AssertNotSignedInAsync(_loggedIn);
        await _loggedIn.LoginAsync(_alice);
        await _loggedIn.RequestAsync<ServerList>(new ListServersRequest());
    }

    [Fact]
    public async Task Logout_ends_the_other_channels_of_the_session_and_no_others()
    {
        await using var same = await _server.ConnectAsync();
        await same.PresentAsync(_ticket);
        await using var other = await _server.ConnectAsync();
        await other.LoginAsync(_alice, new TestDevice());

        await _loggedIn.RequestAsync<Done>(new LogoutRequest(Everywhere: false));

        Assert.Equal(NoticeKind.SessionEnded, (await same.NextNoticeAsync()).Kind);
        await same.EndedAsync();
        await other.RequestAsync<ServerList>(new ListServersRequest());
    }

    [Fact]
    public async Task Logout_everywhere_ends_all_other_channels_of_the_client_and_no_others()
    {
        await using var other = await _server.ConnectAsync();
        await other.LoginAsync(_alice, new TestDevice());
        var (_, _, bob) = await _server.SignUpAsync("bob");
        await using (bob)
        {
            await _loggedIn.RequestAsync<Done>(new LogoutRequest(Everywhere: true));

            Assert.Equal(NoticeKind.SessionEnded, (await other.NextNoticeAsync()).Kind);
            await other.EndedAsync();
            await bob.RequestAsync<ServerList>(new ListServersRequest());
        }
    }

    private static async Task AssertNotSignedInAsync(TestClient client)
    {
        foreach (var request in new IWireMessage[]
        {
            new ListServersRequest(),
            new LookUpClientRequest("alice"),
            new LogoutRequest(Everywhere: false),
            new LogoutRequest(Everywhere: true),
        })
        {
            Assert.Equal(ProtocolError.NotSignedIn, await client.RefusalAsync(request));
        }
    }
}
