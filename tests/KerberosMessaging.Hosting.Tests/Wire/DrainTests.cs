using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KerberosMessaging.Hosting.Tests.Wire;

/// <summary>What an admin's drain does; the host's own is in <see cref="StopTests"/>.</summary>
public sealed class DrainTests : IAsyncLifetime
{
    private static readonly TimeSpan LongTime = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(7);

    private WireServer _server = null!;

    private ReadinessState Readiness => _server.App.Services.GetRequiredService<ReadinessState>();

    public async ValueTask InitializeAsync()
    {
        _server = await WireServer.StartAsync();
        Readiness.SetReady();
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task It_goes_from_serving_over_draining_to_drained_and_back()
    {
        using var client = await _server.ConnectAsync();
        await client.SendAsync(new SlowRequest("slow"), 1);
        await _server.State.StartedAsync("slow");
        Assert.Equal(DrainState.Serving, _server.Drain.State);

        _server.Drain.Start(RetryAfter, LongTime);

        Assert.Equal(DrainState.Draining, _server.Drain.State);
        Assert.False(Readiness.IsReady);
        await AssertTurnedAwayAsync();
        _server.State.Open("slow");
        await client.ExpectReplyAsync(1);
        await client.ExpectShutdownAsync(7);
        await Wait.UntilAsync(() => _server.Drain.State == DrainState.Drained);
        await AssertTurnedAwayAsync();

        Assert.True(_server.Drain.TryUndo());
        Assert.Equal(DrainState.Serving, _server.Drain.State);
        Assert.True(Readiness.IsReady);
        using var another = await _server.ConnectAsync();
        await another.EchoAsync();
    }

    [Fact]
    public async Task The_grace_ends_what_does_not_end_by_itself_and_no_connection_that_came_later()
    {
        using var stuck = await _server.ConnectAsync();
        await stuck.SendAsync(new PipelinedRequest("never"), 1);
        await _server.State.StartedAsync("never");

        _server.Drain.Start(RetryAfter, TimeSpan.FromSeconds(2));
        Assert.True(_server.Drain.TryUndo());
        using var later = await _server.ConnectAsync();
        await later.EchoAsync();

        await stuck.ExpectShutdownAsync(7);
        await later.EchoAsync();
    }

    [Fact]
    public async Task Not_all_clients_are_told_to_come_back_at_once()
    {
        var clients = new List<WireClient>();
        for (var i = 0; i < 8; i++)
        {
            clients.Add(await _server.ConnectAsync());
            await clients[i].EchoAsync();
        }

        _server.Drain.Start(RetryAfter, LongTime);

        var times = new HashSet<uint>();
        foreach (var client in clients)
        {
            times.Add(WireReader.ReadWhole<Notice>((await client.ReadAsync())!.Value.Payload).RetryAfterMilliseconds);
            client.Dispose();
        }

        Assert.InRange(times.Count, 2, 8);
    }

    [Fact]
    public async Task What_waits_for_a_better_moment_is_told_of_it()
    {
        var told = new List<string>();
        _server.Drain.Started += () => told.Add("started");
        _server.Drain.Undone += () => told.Add("undone");

        Assert.True(_server.Drain.TryUndo());
        _server.Drain.Start(RetryAfter, LongTime);
        Assert.True(_server.Drain.TryUndo());
        Assert.True(_server.Drain.TryUndo());
        Assert.Equal(["started", "undone"], told);

        await Wait.ForAsync(_server.App.StopAsync(TestContext.Current.CancellationToken));
        Assert.Equal(["started", "undone", "started"], told);
    }

    [Fact]
    public async Task A_host_that_stops_cannot_be_undone()
    {
        await Wait.ForAsync(_server.App.StopAsync(TestContext.Current.CancellationToken));

        Assert.Equal(DrainState.Stopping, _server.Drain.State);
        Assert.False(_server.Drain.TryUndo());
        Assert.False(Readiness.IsReady);
    }

    [Fact]
    public async Task The_host_stops_once_all_have_gone_if_it_is_told_to()
    {
        var lifetime = _server.App.Services.GetRequiredService<IHostApplicationLifetime>();
        using var client = await _server.ConnectAsync();
        await client.SendAsync(new SlowRequest("slow"), 1);
        await _server.State.StartedAsync("slow");

        _server.Drain.Start(RetryAfter, LongTime);
        var stopping = _server.Drain.StopWhenDrainedAsync(LongTime);
        Assert.False(lifetime.ApplicationStopping.IsCancellationRequested);
        _server.State.Open("slow");

        await Wait.ForAsync(stopping);
        Assert.True(lifetime.ApplicationStopping.IsCancellationRequested);
        await client.ExpectReplyAsync(1);
        await client.ExpectShutdownAsync(7);
    }

    [Fact]
    public async Task A_drain_that_was_undone_does_not_stop_the_host()
    {
        using var client = await _server.ConnectAsync();
        await client.SendAsync(new SlowRequest("slow"), 1);
        await _server.State.StartedAsync("slow");

        _server.Drain.Start(RetryAfter, LongTime);
        var stopping = _server.Drain.StopWhenDrainedAsync(LongTime);
        Assert.True(_server.Drain.TryUndo());
        _server.State.Open("slow");

        await Wait.ForAsync(stopping);
        Assert.Equal(DrainState.Serving, _server.Drain.State);
    }

    private async Task AssertTurnedAwayAsync()
    {
        using var client = await WireClient.OpenAsync(_server.Port);
        var bytes = await client.ReadToEndAsync();
        var error = WireReader.ReadWhole<ErrorReply>(bytes.AsSpan(FrameHeader.Size));
        Assert.Equal(ProtocolError.Overloaded, error.Error);
        Assert.InRange(error.RetryAfterMilliseconds, 7000u, 14_000u);
    }
}
