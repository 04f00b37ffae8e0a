using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.Transport.Tests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

public sealed class KeepAliveTests
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 20_000;

    private static readonly TimeSpan PingAfter = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan DeadAfter = TimeSpan.FromSeconds(75);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private ChannelOptions Options => new() { PingAfter = PingAfter, DeadAfter = DeadAfter, Time = _time };

    [Fact]
    public void A_silence_is_pinged_once_and_ends_never_early_and_at_most_an_interval_late()
    {
        var keepAlive = new KeepAlive(PingAfter, DeadAfter);
        Assert.Equal(Interval, keepAlive.Interval);

        // Heard in the last moment of an interval, or in its first: between one interval less and the whole count of them.
        var silent = 0;
        var steps = Enumerable.Range(1, 16).Select(_ => keepAlive.Next(ref silent)).ToArray();

        Assert.Equal([7], At(steps, KeepAliveStep.Ping));
        Assert.Equal([16], At(steps, KeepAliveStep.End));
    }

    [Fact]
    public void What_is_heard_starts_the_count_anew()
    {
        var keepAlive = new KeepAlive(PingAfter, DeadAfter);
        var silent = 0;
        for (var i = 0; i < 100; i++)
        {
            Assert.Equal(KeepAliveStep.Wait, keepAlive.Next(ref silent));
            if (i % 6 == 5)
            {
                silent = 0;
            }
        }
    }

    [Theory]
    [InlineData(0, 10)]
    [InlineData(10, 10)]
    public void A_peer_cannot_be_dead_before_it_was_asked(int pingAfter, int deadAfter) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new KeepAlive(TimeSpan.FromSeconds(pingAfter), TimeSpan.FromSeconds(deadAfter)));

    [Fact(Timeout = Patience)]
    public async Task A_server_that_asks_is_answered_and_nobody_else_sees_it()
    {
        var pushes = new List<MessageCode>();
        await using var server = await ScriptedServer.StartAsync((code, _) =>
        {
            pushes.Add(code);
            return ValueTask.CompletedTask;
        });

        await server.SendAsync((new AreYouThere(), 0));

        var requestId = await server.ExpectAsync(new PingRequest());
        Assert.NotEqual(0u, requestId);
        await server.SendAsync((new Done(), requestId));

        // The connection goes on, under other numbers.
        var asking = server.Client.RequestAsync<Done>(new LogoutRequest(false), Cancel);
        var next = await server.ExpectAsync(new LogoutRequest(false));
        Assert.NotEqual(requestId, next);
        await server.SendAsync((new Done(), next));
        await asking;
        Assert.Empty(pushes);
    }

    [Fact(Timeout = Patience)]
    public async Task A_server_that_is_silent_is_asked_and_one_that_answers_is_kept()
    {
        await using var server = await ScriptedServer.StartAsync(options: Options);
        for (var i = 0; i < 4; i++)
        {
            // An error is a sign of life, too.
            var reading = server.ExpectAsync(new PingRequest());
            await PassAsync(reading);
            await server.SendAsync((i % 2 == 0 ? new Done() : new ErrorReply(ProtocolError.NotSignedIn, 0), await reading));
            await AnswerAsync(server);
        }

        Assert.False(server.Client.Ended.IsCompleted);
    }

    [Fact(Timeout = Patience)]
    public async Task A_server_that_stays_silent_is_given_up_and_its_requests_fail()
    {
        await using var server = await ScriptedServer.StartAsync(options: Options);
        var asking = server.Client.RequestAsync<Done>(new LogoutRequest(false), Cancel);
        var started = _time.GetUtcNow();

        await PassAsync(server.Client.Ended);

        Assert.InRange(_time.GetUtcNow() - started, DeadAfter, TimeSpan.MaxValue);
        var e = await server.Client.Ended;
        Assert.Equal(ChannelFailure.ConnectionLost, e.Failure);
        Assert.Equal("The server was silent for too long.", e.Message);
        Assert.Same(e, await Check.FailedAsync(ChannelFailure.ConnectionLost, () => asking));

        // It was asked before.
        await server.ExpectAsync(new LogoutRequest(false));
        await server.ExpectAsync(new PingRequest());
    }

    [Fact(Timeout = Patience)]
    public async Task A_server_that_is_heard_is_not_asked()
    {
        await using var server = await ScriptedServer.StartAsync(options: Options);
        for (var i = 0; i < 40; i++)
        {
            _time.Advance(Interval);

            // What comes next is this and no ping.
            await AnswerAsync(server);
        }
    }

    // A request and its answer, which the client has heard when this is over.
    private static async Task AnswerAsync(ScriptedServer server)
    {
        var asking = server.Client.RequestAsync<Done>(new LogoutRequest(false), Cancel);
        await server.SendAsync((new Done(), await server.ExpectAsync(new LogoutRequest(false))));
        await asking;
    }

    // An interval at a time, each of which is noticed or not, as in a process that has much to do.
    private async Task PassAsync(Task until)
    {
        while (!until.IsCompleted)
        {
            _time.Advance(Interval);
            await Task.WhenAny(until, Task.Delay(10, Cancel));
        }
    }

    private static int[] At(KeepAliveStep[] steps, KeepAliveStep step) =>
        [.. Enumerable.Range(1, steps.Length).Where(i => steps[i - 1] == step)];
}
