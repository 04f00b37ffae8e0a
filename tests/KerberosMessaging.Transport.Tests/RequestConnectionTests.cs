using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Transport.Tests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

public sealed class RequestConnectionTests
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 20_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = Patience)]
    public async Task Replies_out_of_order_find_their_requests()
    {
        await using var server = await ScriptedServer.StartAsync();
        var first = LookUpAsync(server, "first");
        var firstId = await server.ExpectAsync(new LookUpClientRequest("first"));
        var second = LookUpAsync(server, "second");
        var secondId = await server.ExpectAsync(new LookUpClientRequest("second"));
        var third = LookUpAsync(server, "third");
        var thirdId = await server.ExpectAsync(new LookUpClientRequest("third"));

        await server.SendAsync((Found("third"), thirdId), (Found("first"), firstId), (Found("second"), secondId));

        Assert.Equal("first", (await first).Name);
        Assert.Equal("second", (await second).Name);
        Assert.Equal("third", (await third).Name);
        Assert.DoesNotContain(0u, new[] { firstId, secondId, thirdId });
        Assert.Distinct([firstId, secondId, thirdId]);
    }

    [Fact(Timeout = Patience)]
    public async Task An_error_frame_refuses_its_request_and_leaves_the_others_alone()
    {
        await using var server = await ScriptedServer.StartAsync();
        var refused = LookUpAsync(server, "nobody");
        var refusedId = await server.ExpectAsync(new LookUpClientRequest("nobody"));
        var answered = LookUpAsync(server, "alice");
        var answeredId = await server.ExpectAsync(new LookUpClientRequest("alice"));

        await server.SendAsync((new ErrorReply(ProtocolError.Busy, 1500), refusedId), (Found("alice"), answeredId));

        var e = await Assert.ThrowsAsync<RequestRefusedException>(() => refused);
        Assert.Equal(ProtocolError.Busy, e.Error);
        Assert.Equal(TimeSpan.FromSeconds(1.5), e.RetryAfter);
        Assert.Equal("alice", (await answered).Name);
    }

    [Fact(Timeout = Patience)]
    public async Task A_request_with_several_possible_replies_gives_the_one_that_came()
    {
        await using var server = await ScriptedServer.StartAsync();
        var asking = server.Client.RequestAsync(new ListServersRequest(), Cancel);

        await server.SendAsync((new Done(), await server.ExpectAsync(new ListServersRequest())));

        var reply = await asking;
        Assert.Equal(MessageCode.Done, reply.Code);
        Assert.NotNull(reply.As<Done>());
        Assert.Null(reply.As<ServerList>());
    }

    [Fact(Timeout = Patience)]
    public async Task A_reply_of_the_wrong_kind_fails_its_request()
    {
        await using var server = await ScriptedServer.StartAsync();
        var asking = LookUpAsync(server, "alice");

        await server.SendAsync((new Done(), await server.ExpectAsync(new LookUpClientRequest("alice"))));

        await Check.FailedAsync(ChannelFailure.ConnectionLost, () => asking);
    }

    [Fact(Timeout = Patience)]
    public async Task A_malformed_reply_fails_its_request_as_every_other_fault_of_the_server_does()
    {
        await using var server = await ScriptedServer.StartAsync();
        var asking = LookUpAsync(server, "alice");

        await server.SendAsync(
            (new RawMessage(MessageCode.ClientFound, [1, 2, 3]), await server.ExpectAsync(new LookUpClientRequest("alice"))));

        var e = await Check.FailedAsync(ChannelFailure.ConnectionLost, () => asking);
        Assert.IsType<ProtocolException>(e.InnerException);
    }

    [Fact(Timeout = Patience)]
    public async Task A_malformed_error_frame_fails_its_request_and_ends_the_connection()
    {
        await using var server = await ScriptedServer.StartAsync();
        var asking = LookUpAsync(server, "alice");

        await server.SendAsync(
            (new RawMessage(MessageCode.Error, [1]), await server.ExpectAsync(new LookUpClientRequest("alice"))));

        await Check.FailedAsync(ChannelFailure.ConnectionLost, () => asking);
        Assert.Equal(ChannelFailure.ConnectionLost, (await server.Client.Ended).Failure);
    }

    [Fact(Timeout = Patience)]
    public async Task A_lost_connection_fails_every_request_that_waits_and_every_later_one()
    {
        await using var server = await ScriptedServer.StartAsync();
        var first = LookUpAsync(server, "first");
        var second = LookUpAsync(server, "second");
        await server.Channel.ReadAsync(Cancel);
        await server.Channel.ReadAsync(Cancel);

        await server.LeaveAsync();

        await Check.FailedAsync(ChannelFailure.ConnectionLost, () => first);
        await Check.FailedAsync(ChannelFailure.ConnectionLost, () => second);
        Assert.Equal(ChannelFailure.ConnectionLost, (await server.Client.Ended).Failure);
        await Check.FailedAsync(ChannelFailure.ConnectionLost, () => LookUpAsync(server, "third"));
    }

    [Fact(Timeout = Patience)]
    public async Task An_error_frame_without_a_number_ends_the_connection_with_its_code()
    {
        await using var server = await ScriptedServer.StartAsync();
        var asking = LookUpAsync(server, "alice");
        await server.ExpectAsync(new LookUpClientRequest("alice"));

        await server.SendAsync((new ErrorReply(ProtocolError.SessionEnded, 0), 0));

        var e = await Check.FailedAsync(ChannelFailure.RefusedByPeer, () => asking);
        Assert.Equal(ProtocolError.SessionEnded, e.PeerError);
        Assert.Equal(ProtocolError.SessionEnded, (await server.Client.Ended).PeerError);
    }

    [Fact(Timeout = Patience)]
    public async Task A_record_that_does_not_verify_ends_the_connection()
    {
        await using var server = await ScriptedServer.StartAsync();
        var asking = LookUpAsync(server, "alice");
        await server.ExpectAsync(new LookUpClientRequest("alice"));

        server.Channel.MixSend(new byte[64]);
        await server.SendAsync((new Done(), 1));

        var e = await Check.FailedAsync(ChannelFailure.ConnectionLost, () => asking);
        Assert.Equal(ProtocolError.ChannelFailed, Assert.IsType<ProtocolException>(e.InnerException).Error);
    }

    [Fact(Timeout = Patience)]
    public async Task A_reply_to_a_request_that_nobody_waits_for_any_more_is_ignored()
    {
        await using var server = await ScriptedServer.StartAsync();
        using var given = new CancellationTokenSource();
        var abandoned = server.Client.RequestAsync<ClientFound>(new LookUpClientRequest("first"), given.Token);
        var abandonedId = await server.ExpectAsync(new LookUpClientRequest("first"));
        await given.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => abandoned);
        var next = LookUpAsync(server, "next");
        var nextId = await server.ExpectAsync(new LookUpClientRequest("next"));

        await server.SendAsync((Found("first"), abandonedId), (Found("next"), nextId));

        Assert.Equal("next", (await next).Name);
    }

    [Fact(Timeout = Patience)]
    public async Task Pushes_reach_the_handler_one_by_one_and_in_order()
    {
        var numbers = new List<uint>();
        var running = 0;
        var overlapped = false;
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await ScriptedServer.StartAsync(async (code, payload) =>
        {
            overlapped |= Interlocked.Increment(ref running) != 1;
            await Task.Yield();
            Assert.Equal(MessageCode.Notice, code);
            numbers.Add(WireReader.ReadWhole<Notice>(payload.Span).RetryAfterMilliseconds);
            Interlocked.Decrement(ref running);
            if (numbers.Count == 100)
            {
                all.SetResult();
            }
        });

        for (var i = 0u; i < 100; i++)
        {
            await server.SendAsync((new Notice(NoticeKind.ShuttingDown, i), 0));
        }

        await all.Task;
        Assert.Equal(Enumerable.Range(0, 100).Select(i => (uint)i), numbers);
        Assert.False(overlapped);
    }

    [Fact(Timeout = Patience)]
    public async Task A_push_handler_that_fails_ends_the_connection_and_its_fault_is_seen()
    {
        await using var server = await ScriptedServer.StartAsync((_, _) => throw new InvalidOperationException("full disk"));

        await server.SendAsync((new Notice(NoticeKind.TakenOver, 0), 0));

        var e = await server.Client.Ended;
        Assert.Equal(ChannelFailure.ConnectionLost, e.Failure);
        Assert.Equal("full disk", e.InnerException?.Message);
    }

    [Fact(Timeout = Patience)]
    public async Task Disposal_fails_what_waits_and_may_be_repeated()
    {
        await using var server = await ScriptedServer.StartAsync();
        var asking = LookUpAsync(server, "alice");

        await server.Client.DisposeAsync();
        await server.Client.DisposeAsync();

        await Check.FailedAsync(ChannelFailure.ConnectionLost, () => asking);
        Assert.True(server.Client.Ended.IsCompletedSuccessfully);
    }

    [Fact(Timeout = Patience)]
    public async Task A_port_where_nobody_listens_is_a_lost_connection()
    {
        var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var port = ((IPEndPoint)free.LocalEndpoint).Port;
        free.Stop();

        await Check.FailedAsync(
            ChannelFailure.ConnectionLost,
            () => RequestConnection.ConnectAsync(
                "127.0.0.1", port, ChannelPair.IsExpectedKey, new ChannelOptions(), onPush: null, Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task A_handler_gets_the_replies_to_all_its_requests_and_refusals_as_they_are()
    {
        const int Requests = 2000;
        await using var server = await ScriptedServer.StartAsync();
        var handler = new CollectingHandler(Requests);
        var serving = AnswerAsync(server, Requests);
        for (var i = 0; i < Requests; i++)
        {
            await server.Client.SendAsync(new ListServersRequest(), handler, Cancel);
        }

        await serving;
        await handler.AllReplied;
        Assert.Equal(Enumerable.Range(0, Requests).Select(i => i % 2 == 0 ? "Done" : $"Busy {i}"), handler.Replies);
        Assert.Empty(handler.Failures);
    }

    [Fact(Timeout = Patience)]
    public async Task A_lost_connection_fails_each_unanswered_request_of_a_handler_once()
    {
        await using var server = await ScriptedServer.StartAsync();
        var handler = new CollectingHandler(1);
        for (var i = 0; i < 3; i++)
        {
            await server.Client.SendAsync(new ListServersRequest(), handler, Cancel);
        }

        await server.SendAsync((new Done(), await server.ExpectAsync(new ListServersRequest())));
        await handler.AllReplied;
        await server.LeaveAsync();
        await server.Client.DisposeAsync();

        Assert.Equal(["Done"], handler.Replies);
        Assert.Equal([ChannelFailure.ConnectionLost, ChannelFailure.ConnectionLost], handler.Failures);
        await Check.FailedAsync(
            ChannelFailure.ConnectionLost, async () => await server.Client.SendAsync(new ListServersRequest(), handler, Cancel));
        Assert.Equal(2, handler.Failures.Count);
    }

    [Fact(Timeout = Patience)]
    public async Task A_handler_that_throws_ends_the_connection_and_its_own_request_fails()
    {
        await using var server = await ScriptedServer.StartAsync();
        var handler = new CollectingHandler(0);
        await server.Client.SendAsync(new ListServersRequest(), handler, Cancel);

        await server.SendAsync((new RawMessage(MessageCode.Error, [1]), await server.ExpectAsync(new ListServersRequest())));
        await server.Client.Ended;
        await server.Client.DisposeAsync();

        Assert.Empty(handler.Replies);
        Assert.Single(handler.Failures);
    }

    [Fact(Timeout = Patience)]
    public async Task A_push_handler_knows_whether_another_frame_is_already_here()
    {
        var seen = new List<bool>();
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var connected = new TaskCompletionSource<RequestConnection>();
        await using var server = await ScriptedServer.StartAsync(async (_, _) =>
        {
            seen.Add((await connected.Task).HasBufferedFrame);
            if (seen.Count == 5)
            {
                all.SetResult();
            }
        });
        connected.SetResult(server.Client);

        var push = new Notice(NoticeKind.ShuttingDown, 0);
        await server.SendAsync((push, 0), (push, 0), (push, 0), (push, 0), (push, 0));

        await all.Task;
        Assert.Equal([true, true, true, true, false], seen);
    }

    [Fact(Timeout = Patience)]
    public async Task Frames_of_all_sizes_cross_a_real_socket_both_ways()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = EchoAsync(listener);
        await using (var connection = await RequestConnection.ConnectAsync(
            "127.0.0.1",
            ((IPEndPoint)listener.LocalEndpoint).Port,
            ChannelPair.IsExpectedKey,
            new ChannelOptions { PayloadLimit = ProtocolLimits.PayloadAfterAuthentication },
            onPush: null,
            Cancel))
        {
            var sizes = new[] { 0, 1, 300, 4000, 65_000, 70_000, 1_000_000 };
            var requests = Enumerable.Range(0, 70).Select(i => new RawMessage(MessageCode.UploadPrekeys, [.. Enumerable.Repeat((byte)i, sizes[i % 7])]));
            var asked = requests.Select(async request => (request, reply: await connection.RequestAsync(request, Cancel))).ToArray();
            foreach (var (request, reply) in await Task.WhenAll(asked))
            {
                Assert.Equal(request.Payload, reply.Payload.ToArray());
            }
        }

        await serving;
    }

    // Every other request is refused.
    private static async Task AnswerAsync(ScriptedServer server, int requests)
    {
        for (var i = 0; i < requests; i++)
        {
            var frame = (await server.Channel.ReadAsync(Cancel))!.Value;
            server.Channel.Write(i % 2 == 0 ? new Done() : new ErrorReply(ProtocolError.Busy, (uint)i), frame.RequestId);
            if (!server.Channel.HasBufferedFrame)
            {
                await server.Channel.FlushAsync(Cancel);
            }
        }
    }

    private static async Task EchoAsync(TcpListener listener)
    {
        using var client = await listener.AcceptTcpClientAsync(Cancel);
        var pipe = new DuplexPipe(PipeReader.Create(client.GetStream()), PipeWriter.Create(client.GetStream()));
        using var channel = await ChannelPair.AcceptAsync(
            pipe, new ChannelOptions { PayloadLimit = ProtocolLimits.PayloadAfterAuthentication });
        while (await channel!.ReadAsync(Cancel) is { } frame)
        {
            channel.Write(new RawMessage(frame.Code, frame.Payload.ToArray()), frame.RequestId);
            await channel.FlushAsync(Cancel);
        }
    }

    private static Task<ClientFound> LookUpAsync(ScriptedServer server, string name) =>
        server.Client.RequestAsync<ClientFound>(new LookUpClientRequest(name), Cancel);

    private static ClientFound Found(string name) => new(ClientId.New(), name, ServerId.New(), []);

    private sealed class CollectingHandler(int expected) : IReplyHandler
    {
        private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public List<string> Replies { get; } = [];

        public List<ChannelFailure> Failures { get; } = [];

        public Task AllReplied => _all.Task;

        public void OnReply(MessageCode code, ReadOnlyMemory<byte> payload)
        {
            var error = code == MessageCode.Error ? WireReader.ReadWhole<ErrorReply>(payload.Span) : null;
            Replies.Add(error is null ? $"{code}" : $"{error.Error} {error.RetryAfterMilliseconds}");
            if (Replies.Count == expected)
            {
                _all.SetResult();
            }
        }

        public void OnFailed(ChannelException reason) => Failures.Add(reason.Failure);
    }
}
