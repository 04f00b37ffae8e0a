using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;
using Channel = System.Threading.Channels.Channel;

namespace KerberosMessaging.MessageServer.Tests.Support;

/// <summary>A client's end of a real connection; it keeps what the server pushes.</summary>
internal sealed class TestClient : IAsyncDisposable
{
    private readonly System.Threading.Channels.Channel<Deliver> _deliveries = Channel.CreateUnbounded<Deliver>();
    private readonly System.Threading.Channels.Channel<Notice> _notices = Channel.CreateUnbounded<Notice>();
    private readonly System.Threading.Channels.Channel<PrekeysLow> _alerts = Channel.CreateUnbounded<PrekeysLow>();

    private TestClient()
    {
    }

    public RequestConnection Connection { get; private set; } = null!;

    /// <summary>What was delivered and not yet taken.</summary>
    public int Waiting => _deliveries.Reader.Count;

    /// <summary>How many alerts came and were not yet taken.</summary>
    public int Alerts => _alerts.Reader.Count;

    public static async Task<TestClient> ConnectAsync(int port, ReadOnlyMemory<byte> serverKey, CancellationToken cancellationToken)
    {
        var client = new TestClient();
        client.Connection = await RequestConnection.ConnectAsync(
            "127.0.0.1",
            port,
            key => key.SequenceEqual(serverKey.Span),
            new ChannelOptions { PayloadLimit = ProtocolLimits.PayloadAfterAuthentication },
            client.OnPush,
            cancellationToken);

        // Whoever waits for a push that can no longer come is told.
        _ = client.Connection.Ended.ContinueWith(
            ended =>
            {
                client._deliveries.Writer.TryComplete(ended.Result);
                client._notices.Writer.TryComplete(ended.Result);
                client._alerts.Writer.TryComplete(ended.Result);
            },
            TaskScheduler.Default);
        return client;
    }

    public ValueTask<Deliver> NextDeliveryAsync(CancellationToken cancellationToken) =>
        _deliveries.Reader.ReadAsync(cancellationToken);

    public async Task<List<Deliver>> NextDeliveriesAsync(int count, CancellationToken cancellationToken)
    {
        var deliveries = new List<Deliver>();
        while (deliveries.Count < count)
        {
            deliveries.Add(await NextDeliveryAsync(cancellationToken));
        }

        return deliveries;
    }

    public ValueTask<Notice> NextNoticeAsync(CancellationToken cancellationToken) => _notices.Reader.ReadAsync(cancellationToken);

    public ValueTask<PrekeysLow> NextAlertAsync(CancellationToken cancellationToken) => _alerts.Reader.ReadAsync(cancellationToken);

    public Task<CreditGranted> GrantAsync(uint messages, CancellationToken cancellationToken) =>
        Connection.RequestAsync<CreditGranted>(new GrantCreditRequest(messages), cancellationToken);

    public Task AcknowledgeAsync(ulong first, ulong last, CancellationToken cancellationToken) =>
        Connection.RequestAsync<Done>(new AcknowledgeRequest([new SequenceRange(first, last)], 0), cancellationToken);

    public Task<MessageAccepted> SendAsync(TestDevice recipient, CancellationToken cancellationToken, byte[]? envelope = null) =>
        Connection.RequestAsync<MessageAccepted>(Message(recipient, envelope), cancellationToken);

    public static SendMessageRequest Message(TestDevice recipient, byte[]? envelope = null, MessageId? id = null) =>
        new(id ?? MessageId.New(), recipient.Client, 0, DeliveryKind.Durable, [new DeviceEnvelope(recipient.Device, envelope ?? TestEnvelope.Make())], []);

    /// <summary>
    /// A request whose reply passes through the same queue as the deliveries: what was about to be pushed has come by then.
    /// A few of them, because the push may be about to enter the queue.
    /// </summary>
    public async Task FenceAsync(CancellationToken cancellationToken)
    {
        for (var i = 0; i < 5; i++)
        {
            await Connection.RequestAsync<Done>(new AcknowledgeRequest([], 0), cancellationToken);
        }
    }

    public ValueTask DisposeAsync() => Connection.DisposeAsync();

    private ValueTask OnPush(MessageCode code, ReadOnlyMemory<byte> payload)
    {
        switch (code)
        {
            case MessageCode.Deliver:
                _deliveries.Writer.TryWrite(WireReader.ReadWhole<Deliver>(payload.Span));
                break;
            case MessageCode.Notice:
                _notices.Writer.TryWrite(WireReader.ReadWhole<Notice>(payload.Span));
                break;
            case MessageCode.PrekeysLow:
                _alerts.Writer.TryWrite(WireReader.ReadWhole<PrekeysLow>(payload.Span));
                break;
            default:
                throw new InvalidOperationException($"An unexpected push: {code}.");
        }

        return ValueTask.CompletedTask;
    }
}
