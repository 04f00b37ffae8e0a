using System.Text;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KerberosMessaging.Hosting.Tests.Wire;

public sealed class RequestTests : IAsyncLifetime
{
    private const string Secret = "what-the-client-sent";

    private WireServer _server = null!;
    private WireClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await WireServer.StartAsync();
        _client = await _server.ConnectAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public void The_dispatcher_lists_what_it_serves()
    {
        var dispatcher = _server.App.Services.GetRequiredService<RequestDispatcher>();

        Assert.Equal(
            new[]
            {
                EchoRequest.Code, SignInRequest.Code, ServerSignInRequest.Code, WhoAmIRequest.Code, ExpensiveRequest.Code, FreeRequest.Code,
                SlowRequest.Code, FailRequest.Code, FillRequest.Code, PipelinedRequest.Code, PipelinedFailRequest.Code, MessageCode.Ping,
            }.Order(),
            dispatcher.Codes.Order());
    }

    [Fact]
    public void A_code_that_two_handlers_claim_stops_the_server_before_it_listens()
    {
        var e = Assert.Throws<ArgumentException>(static () => WireServer.Build(
            static services => services.AddPipelinedRequest<EchoRequest, SecondEchoHandler>(RequestAccess.Anyone), isReady: true));

        Assert.Contains($"{EchoRequest.Code}", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData((int)MessageCode.ClientHello)]
    [InlineData((int)MessageCode.Logout)]
    [InlineData((int)MessageCode.ClientFound)]
    [InlineData((int)MessageCode.Notice)]
    [InlineData(65535)]
    public async Task An_unknown_code_ends_the_connection(int code)
    {
        await _client.SendAsync(new RawMessage((MessageCode)code, []), 7);

        await _client.ExpectEndAsync(ProtocolError.UnknownCode);
    }

    [Fact]
    public async Task A_request_without_a_number_ends_the_connection()
    {
        await _client.SendAsync(new EchoRequest([]), 0);

        await _client.ExpectEndAsync(ProtocolError.Malformed);
    }

    [Theory]
    [InlineData(MessageCode.LookUpClient, "")]
    [InlineData(MessageCode.LookUpClient, "00000001")]
    [InlineData(MessageCode.LookUpClient, "0000000000")]
    [InlineData(MessageCode.LookUpClient, "FFFFFFFF")]
    [InlineData(MessageCode.SendMessage, "0001FF")]
    [InlineData(MessageCode.SendMessage, "0000AA")]
    [InlineData(MessageCode.SendMessage, "")]
    public async Task A_malformed_payload_ends_the_connection(MessageCode code, string payload)
    {
        await _client.SendAsync(new RawMessage(code, Convert.FromHexString(payload)), 7);

        await _client.ExpectEndAsync(ProtocolError.Malformed);
        Assert.Empty(_server.Errors);
    }

    [Fact]
    public async Task What_a_peer_breaks_is_told_to_the_log_as_information_and_nothing_of_it()
    {
        await _client.SendAsync(new RawMessage(EchoRequest.Code, Encoding.UTF8.GetBytes(Secret)), 7);
        await _client.ExpectEndAsync(ProtocolError.Malformed);

        Assert.Contains(_server.Log.Lines, static line =>
            line.Level == LogLevel.Information && line.Text.Contains(nameof(ProtocolError.Malformed), StringComparison.Ordinal));
        AssertNotLogged(Secret);
    }

    [Theory]
    [InlineData("bug")]
    [InlineData("argument")]
    [InlineData("disk")]
    [InlineData("cancelled")]
    [InlineData("closed")]
    public async Task A_handler_that_throws_ends_the_connection_and_is_an_error_in_the_log(string kind)
    {
        await _client.SendAsync(new FailRequest(kind, Secret), 7);

        await _client.ExpectEndAsync(ProtocolError.Internal);
        var error = Assert.Single(_server.Errors);
        Assert.Contains("a bug of the server's own", error, StringComparison.Ordinal);
        Assert.Contains(nameof(FailHandler), error, StringComparison.Ordinal);
        AssertNotLogged(Secret);
    }

    [Theory]
    [InlineData("bug", true)]
    [InlineData("bug", false)]
    [InlineData("disk", true)]
    [InlineData("disk", false)]
    [InlineData("cancelled", true)]
    [InlineData("cancelled", false)]
    public async Task A_pipelined_handler_that_throws_ends_the_connection_and_is_an_error_in_the_log(string kind, bool atOnce)
    {
        var (client, connection) = await _server.ConnectBothAsync();
        using (client)
        {
            var closed = Closed(connection);
            await client.SendAsync(new PipelinedFailRequest(kind, atOnce), 7);

            await client.ExpectEndAsync(ProtocolError.Internal);
            Assert.Contains("a bug of the server's own", Assert.Single(_server.Errors), StringComparison.Ordinal);
            await Wait.ForAsync(closed);
        }
    }

    [Fact]
    public async Task A_request_for_those_who_are_signed_in_is_refused_until_then()
    {
        await _client.SendAsync(new FillRequest(3), 7);
        await _client.ExpectAsync(new ErrorReply(ProtocolError.NotSignedIn, 0), 7);

        // It is not even read.
        await _client.SendAsync(new RawMessage(FillRequest.Code, [1]), 8);
        await _client.ExpectAsync(new ErrorReply(ProtocolError.NotSignedIn, 0), 8);

        await _client.SignInAsync();
        await _client.SendAsync(new FillRequest(3), 9);
        Assert.Equal(new byte[3], await _client.ExpectReplyAsync(9));

        await _client.SignInAsync(seconds: 0);
        await _client.SendAsync(new FillRequest(3), 10);
        await _client.ExpectAsync(new ErrorReply(ProtocolError.NotSignedIn, 0), 10);
    }

    [Fact]
    public async Task Requests_are_answered_in_order_by_default()
    {
        _client.Write(new SlowRequest("first"), 1);
        _client.Write(new EchoRequest([2]), 2);
        _client.Write(new SlowRequest("third"), 3);
        await _client.FlushAsync();
        await _server.State.StartedAsync("first");
        _server.State.Open("third");
        Assert.Equal(["first"], _server.State.Started);

        _server.State.Open("first");

        await _client.ExpectReplyAsync(1);
        await _client.ExpectReplyAsync(2);
        await _client.ExpectReplyAsync(3);
    }

    [Fact]
    public async Task Pipelined_requests_start_in_order_and_are_answered_when_each_is_ready()
    {
        for (uint i = 1; i <= 20; i++)
        {
            _client.Write(new PipelinedRequest($"{i}"), i);
        }

        _client.Write(new EchoRequest([9]), 100);
        await _client.FlushAsync();

        // The last was sent behind all that wait.
        Assert.Equal([9], await _client.ExpectReplyAsync(100));
        Assert.Equal(Enumerable.Range(1, 20).Select(static i => $"{i}"), _server.State.Started);
        foreach (var i in new uint[] { 20, 3, 1, 11 })
        {
            _server.State.Open($"{i}");
            Assert.Equal($"{i}", Encoding.UTF8.GetString(await _client.ExpectReplyAsync(i)));
        }
    }

    [Fact]
    public async Task So_many_pipelined_requests_wait_at_once_and_further_ones_in_the_socket()
    {
        const uint most = 128;
        for (uint i = 1; i <= most + 2; i++)
        {
            _client.Write(new PipelinedRequest($"{i}"), i);
        }

        await _client.FlushAsync();
        await _server.State.StartedAsync($"{most}");

        // Each that is answered lets one in.
        Assert.Equal((int)most, _server.State.Started.Count);
        _server.State.Open("5");
        await _client.ExpectReplyAsync(5);
        await _server.State.StartedAsync($"{most + 1}");
        Assert.Equal((int)most + 1, _server.State.Started.Count);
        _server.State.Open("6");
        await _client.ExpectReplyAsync(6);
        await _server.State.StartedAsync($"{most + 2}");
    }

    [Fact]
    public async Task A_peer_that_leaves_ends_what_waits_for_it_without_an_error()
    {
        var (client, connection) = await _server.ConnectBothAsync();
        var closed = Closed(connection);
        for (uint i = 1; i <= 10; i++)
        {
            client.Write(new PipelinedRequest($"{i}"), i);
        }

        client.Write(new SlowRequest("last"), 11);
        await client.FlushAsync();
        await _server.State.StartedAsync("last");

        client.Dispose();

        await Wait.ForAsync(closed);
        Assert.Empty(_server.Errors);
    }

    [Fact]
    public async Task Two_connections_do_not_wait_for_each_other()
    {
        using var other = await _server.ConnectAsync();
        await _client.SendAsync(new SlowRequest("held"), 1);
        await _server.State.StartedAsync("held");

        await other.EchoAsync();

        _server.State.Open("held");
        await _client.ExpectReplyAsync(1);
    }

    private static Task Closed(WireConnection connection)
    {
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        connection.OnClosed(closed.SetResult);
        return closed.Task;
    }

    private void AssertNotLogged(string text)
    {
        foreach (var form in new[]
        {
            text,
            Convert.ToHexString(Encoding.UTF8.GetBytes(text)),
            BitConverter.ToString(Encoding.UTF8.GetBytes(text)),
            Convert.ToBase64String(Encoding.UTF8.GetBytes(text)).TrimEnd('='),
        })
        {
            Assert.DoesNotContain(_server.Log.Lines, line => line.Text.Contains(form, StringComparison.OrdinalIgnoreCase));
        }
    }
}
