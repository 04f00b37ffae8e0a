using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Transport.Tests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

public sealed class PresentTicketTests
{
    private const int Patience = 20_000;

    private static readonly byte[] Key = [.. Enumerable.Range(1, 64).Select(value => (byte)value)];
    private static readonly PresentTicketRequest Request = new([1, 2, 3], [4, 5]);
    private static readonly TicketAccepted Proof = new([6, 7, 8]);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = Patience)]
    public async Task After_an_accepted_ticket_both_directions_use_mixed_keys()
    {
        await using var server = await ScriptedServer.StartAsync();
        var presenting = PresentAsync(server);
        var asking = ListAsync(server);
        var ticketId = await server.ExpectAsync(Request);

        await AcceptAsync(server, ticketId);

        await presenting;
        await server.SendAsync((new ServerList([]), await server.ExpectAsync(new ListServersRequest())));
        Assert.Empty((await asking).Servers);
    }

    [Fact(Timeout = Patience)]
    public async Task A_push_right_behind_the_reply_is_already_under_the_mixed_key()
    {
        var pushed = new TaskCompletionSource<MessageCode>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await ScriptedServer.StartAsync((code, _) =>
        {
            pushed.SetResult(code);
            return ValueTask.CompletedTask;
        });
        var presenting = PresentAsync(server);
        var ticketId = await server.ExpectAsync(Request);

        server.Channel.Write(Proof, ticketId);
        server.Channel.MixSend(Key);
        server.Channel.Write(new Notice(NoticeKind.ShuttingDown, 0), 0);
        await server.Channel.FlushAsync(Cancel);

        await presenting;
        Assert.Equal(MessageCode.Notice, await pushed.Task);
    }

    [Fact(Timeout = Patience)]
    public async Task A_push_before_the_reply_is_still_under_the_old_key()
    {
        var pushed = new TaskCompletionSource<MessageCode>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await ScriptedServer.StartAsync((code, _) =>
        {
            pushed.SetResult(code);
            return ValueTask.CompletedTask;
        });
        var presenting = PresentAsync(server);
        var ticketId = await server.ExpectAsync(Request);

        await server.SendAsync((new Notice(NoticeKind.ShuttingDown, 0), 0));
        await AcceptAsync(server, ticketId);

        await presenting;
        Assert.Equal(MessageCode.Notice, await pushed.Task);
    }

    [Fact(Timeout = Patience)]
    public async Task A_second_ticket_may_follow_on_the_same_connection()
    {
        await using var server = await ScriptedServer.StartAsync();
        for (var i = 0; i < 3; i++)
        {
            var presenting = PresentAsync(server);
            await AcceptAsync(server, await server.ExpectAsync(Request));
            await presenting;
        }

        var asking = ListAsync(server);
        await server.SendAsync((new ServerList([]), await server.ExpectAsync(new ListServersRequest())));
        await asking;
    }

    [Fact(Timeout = Patience)]
    public async Task After_a_refused_ticket_the_old_keys_go_on()
    {
        await using var server = await ScriptedServer.StartAsync();
        var presenting = PresentAsync(server);
        var asking = ListAsync(server);

        await server.SendAsync((new ErrorReply(ProtocolError.TicketRefused, 0), await server.ExpectAsync(Request)));

        Assert.Equal(ProtocolError.TicketRefused, (await Assert.ThrowsAsync<RequestRefusedException>(() => presenting)).Error);
        await server.SendAsync((new ServerList([]), await server.ExpectAsync(new ListServersRequest())));
        await asking;
    }

    [Fact(Timeout = Patience)]
    public async Task A_wrong_proof_ends_the_connection()
    {
        await using var server = await ScriptedServer.StartAsync();
        var presenting = server.Client.PresentTicketAsync(Request, static _ => null, Cancel);
        var asking = ListAsync(server);

        await server.SendAsync((Proof, await server.ExpectAsync(Request)));

        await Check.FailedAsync(ChannelFailure.HandshakeFailed, () => presenting);
        await Check.FailedAsync(ChannelFailure.HandshakeFailed, () => asking);
        Assert.Equal(ChannelFailure.HandshakeFailed, (await server.Client.Ended).Failure);
        await AssertNothingFollowsAsync(server);
    }

    [Fact(Timeout = Patience)]
    public async Task A_reply_of_the_wrong_kind_ends_the_connection()
    {
        await using var server = await ScriptedServer.StartAsync();
        var presenting = PresentAsync(server);

        await server.SendAsync((new Done(), await server.ExpectAsync(Request)));

        await Check.FailedAsync(ChannelFailure.HandshakeFailed, () => presenting);
        await AssertNothingFollowsAsync(server);
    }

    [Theory(Timeout = Patience)]
    [InlineData(MessageCode.TicketAccepted)]
    [InlineData(MessageCode.Error)]
    public async Task A_malformed_reply_ends_the_connection(MessageCode code)
    {
        await using var server = await ScriptedServer.StartAsync();
        var presenting = PresentAsync(server);
        var asking = ListAsync(server);

        await server.SendAsync((new RawMessage(code, [0]), await server.ExpectAsync(Request)));

        await Check.FailedAsync(ChannelFailure.ConnectionLost, () => presenting);
        await Check.FailedAsync(ChannelFailure.ConnectionLost, () => asking);
        await AssertNothingFollowsAsync(server);
    }

    [Fact(Timeout = Patience)]
    public async Task A_proof_whose_check_fails_with_an_exception_ends_the_connection()
    {
        await using var server = await ScriptedServer.StartAsync();
        var presenting = server.Client.PresentTicketAsync(
            Request, static _ => throw new InvalidOperationException("no key"), Cancel);

        await server.SendAsync((Proof, await server.ExpectAsync(Request)));

        var e = await Check.FailedAsync(ChannelFailure.ConnectionLost, () => presenting);
        Assert.Equal("no key", e.InnerException?.Message);
    }

    [Fact(Timeout = Patience)]
    public async Task The_keys_change_even_if_nobody_waits_for_the_reply_any_more()
    {
        await using var server = await ScriptedServer.StartAsync();
        using var given = new CancellationTokenSource();
        var presenting = server.Client.PresentTicketAsync(Request, static _ => new SecretBytes(Key), given.Token);
        var ticketId = await server.ExpectAsync(Request);
        await given.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => presenting);
        var asking = ListAsync(server);

        await AcceptAsync(server, ticketId);

        await server.SendAsync((new ServerList([]), await server.ExpectAsync(new ListServersRequest())));
        await asking;
    }

    [Fact(Timeout = Patience)]
    public async Task A_connection_lost_before_the_reply_fails_the_exchange()
    {
        await using var server = await ScriptedServer.StartAsync();
        var presenting = PresentAsync(server);
        await server.ExpectAsync(Request);

        await server.LeaveAsync();

        await Check.FailedAsync(ChannelFailure.ConnectionLost, () => presenting);
    }

    private static Task PresentAsync(ScriptedServer server) =>
        server.Client.PresentTicketAsync(
            Request,
            static accepted =>
            {
                Assert.Equal(Proof.SealedPart, accepted.SealedPart);
                return new SecretBytes(Key);
            },
            Cancel);

    private static Task<ServerList> ListAsync(ScriptedServer server) =>
        server.Client.RequestAsync<ServerList>(new ListServersRequest(), Cancel);

    private static async Task AcceptAsync(ScriptedServer server, uint ticketId)
    {
        server.Channel.MixReceive(Key);
        await server.SendAsync((Proof, ticketId));
        server.Channel.MixSend(Key);
    }

    private static async Task AssertNothingFollowsAsync(ScriptedServer server) =>
        Assert.Null(await server.Channel.ReadAsync(Cancel));
}
