using System.Diagnostics;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Hosting.Tests.Wire.Limits;

/// <summary>Buckets of ten requests that get one more a second, so that even a slow machine empties them.</summary>
public sealed class RequestLimitTests : IAsyncLifetime
{
    private const int Burst = 10;
    private const int Requests = 200;
    private const string There = "127.0.0.2";

    private readonly List<WireClient> _clients = [];
    private WireServer _server = null!;
    private MeterRecorder _meter = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await WireServer.StartAsync(
            ("Limits:RequestsPerSecondPerClient", "1"),
            ("Limits:RequestsBurstPerClient", $"{Burst}"),
            ("Limits:RequestsPerSecondPerAddress", "1"),
            ("Limits:RequestsBurstPerAddress", $"{Burst}"));
        _meter = new MeterRecorder(_server);
    }

    public async ValueTask DisposeAsync()
    {
        _clients.ForEach(static client => client.Dispose());
        _meter.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_client_is_told_when_to_ask_again_and_its_connection_stays()
    {
        var client = await ConnectAsync(ClientId.New());

        await AssertLimitedAsync(client);

        Assert.Equal(Requests, _meter["kmsg.frames.received LookUpClient Answered"] + _meter["kmsg.frames.received LookUpClient Limited"]);
        Assert.Equal(_meter["kmsg.frames.received LookUpClient Limited"], _meter["kmsg.limits.refused RequestsPerClient"]);
        Assert.Equal(_meter["kmsg.frames.received LookUpClient Limited"], _meter["kmsg.errors.sent TooManyRequests"]);
        await Wait.UntilAsync(() => IsAnsweredAsync(client));
    }

    [Fact]
    public async Task The_connections_of_a_client_share_and_those_of_others_do_not()
    {
        var alice = ClientId.New();
        var first = await ConnectAsync(alice);
        var second = await ConnectAsync(alice, There);
        var bob = await ConnectAsync(ClientId.New());
        await AssertLimitedAsync(first);

        Assert.True(await AnsweredAsync(second, Requests) < Burst);

        await bob.EchoAsync();
    }

    [Fact]
    public async Task Those_who_are_not_signed_in_share_by_address()
    {
        var first = await ConnectAsync();
        var second = await ConnectAsync();
        var other = await ConnectAsync(from: There);
        await AssertLimitedAsync(first);
        Assert.Equal(_meter["kmsg.frames.received LookUpClient Limited"], _meter["kmsg.limits.refused RequestsPerAddress"]);

        Assert.True(await AnsweredAsync(second, Requests) < Burst);

        // Another address, and who is signed in, have their own.
        await other.EchoAsync();
        await Wait.UntilAsync(() => TrySignInAsync(second));
        await second.EchoAsync();
    }

    [Fact]
    public async Task An_expensive_request_counts_as_several()
    {
        var client = await ConnectAsync(ClientId.New());
        var watch = Stopwatch.StartNew();

        var answered = await AnsweredAsync(client, 50, new ExpensiveRequest());

        Assert.InRange(answered, 2, (Burst + watch.Elapsed.TotalSeconds + 1) / ExpensiveRequest.Cost);
    }

    [Fact]
    public async Task A_free_request_counts_as_none()
    {
        var client = await ConnectAsync(ClientId.New());
        await AssertLimitedAsync(client);

        Assert.Equal(Requests, await AnsweredAsync(client, Requests, new FreeRequest()));
    }

    [Fact]
    public async Task A_request_that_costs_more_than_there_ever_is_takes_all()
    {
        await using var server = await WireServer.StartAsync(
            ("Limits:RequestsPerSecondPerAddress", "1"), ("Limits:RequestsBurstPerAddress", $"{ExpensiveRequest.Cost - 1}"));
        using var client = await server.ConnectAsync();
        var watch = Stopwatch.StartNew();

        var answered = await AnsweredAsync(client, 50, new ExpensiveRequest());

        Assert.InRange(answered, 1, (ExpensiveRequest.Cost + watch.Elapsed.TotalSeconds) / (ExpensiveRequest.Cost - 1));
        Assert.Empty(server.Errors);
    }

    [Fact]
    public async Task A_message_server_is_not_limited()
    {
        var client = await ConnectAsync();
        await client.SignInServerAsync(ServerId.New());

        Assert.Equal(Requests, await AnsweredAsync(client, Requests));
    }

    [Fact]
    public async Task What_is_refused_for_want_of_a_sign_in_counts_too()
    {
        var client = await ConnectAsync();
        for (uint i = 1; i <= Requests; i++)
        {
            client.Write(new FillRequest(1), i);
        }

        await client.FlushAsync();

        var errors = new List<ProtocolError>();
        for (uint i = 1; i <= Requests; i++)
        {
            errors.Add(WireReader.ReadWhole<ErrorReply>((await client.ReadAsync())!.Value.Payload).Error);
        }

        Assert.Equal([ProtocolError.NotSignedIn, ProtocolError.TooManyRequests], errors.Distinct());
    }

    private async Task<WireClient> ConnectAsync(ClientId? signedInAs = null, string from = WireClient.UsualAddress)
    {
        var client = await _server.ConnectAsync(from);
        _clients.Add(client);
        if (signedInAs is { } id)
        {
            await client.SignInAsync(client: id);
        }

        return client;
    }

    // The burst is answered, and then next to nothing.
    private static async Task AssertLimitedAsync(WireClient client)
    {
        var watch = Stopwatch.StartNew();

        var answered = await AnsweredAsync(client, Requests);

        Assert.InRange(answered, Burst - 2, Burst + watch.Elapsed.TotalSeconds + 1);
    }

    private static async Task<int> AnsweredAsync(WireClient client, int requests, IWireMessage? request = null)
    {
        for (uint i = 1; i <= requests; i++)
        {
            client.Write(request ?? new EchoRequest([1]), i);
        }

        await client.FlushAsync();
        var answered = 0;
        for (uint i = 1; i <= requests; i++)
        {
            var frame = (await client.ReadAsync())!.Value;
            if (frame.Code != MessageCode.Error)
            {
                answered++;
                continue;
            }

            // Request by request, whatever the order.
            var error = WireReader.ReadWhole<ErrorReply>(frame.Payload);
            Assert.Equal(ProtocolError.TooManyRequests, error.Error);
            Assert.InRange(error.RetryAfterMilliseconds, 100u, 1000u * ExpensiveRequest.Cost);
            Assert.InRange(frame.RequestId, 1u, (uint)requests);
        }

        return answered;
    }

    private static async Task<bool> IsAnsweredAsync(WireClient client) => await AnsweredAsync(client, 1) == 1;

    private static async Task<bool> TrySignInAsync(WireClient client)
    {
        await client.SendAsync(new SignInRequest(3600, ClientId.New()), 1);
        return (await client.ReadAsync())?.Code == MessageCode.Done;
    }
}
