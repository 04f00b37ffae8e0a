using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;
using Channel = System.Threading.Channels.Channel;

namespace KerberosMessaging.AuthServer.Tests.Support;

/// <summary>A message server's end of a connection; keeps what is pushed, and can be made to read no further.</summary>
internal sealed class MemberLink : IAsyncDisposable
{
    private readonly System.Threading.Channels.Channel<IWireMessage> _pushes = Channel.CreateUnbounded<IWireMessage>();
    private volatile Task _reading = Task.CompletedTask;
    private TaskCompletionSource? _held;

    private MemberLink()
    {
    }

    public RequestConnection Connection { get; private set; } = null!;

    public ReadOnlyMemory<byte> ChannelBinding => Connection.Channel.ChannelBinding;

    /// <summary>What was pushed and not yet taken.</summary>
    public int Waiting => _pushes.Reader.Count;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<MemberLink> ConnectAsync(TestServer server, int? port = null)
    {
        var link = new MemberLink();
        var key = server.Keys.Realm.PublicKey;
        link.Connection = await RequestConnection.ConnectAsync(
            "127.0.0.1", port ?? server.Port, offered => offered.SequenceEqual(key.Span), new ChannelOptions(), link.OnPushAsync, Cancel);
        return link;
    }

    public Task<TReply> RequestAsync<TReply>(IWireMessage request)
        where TReply : IWireMessage<TReply> => Wait.ForAsync(Connection.RequestAsync<TReply>(request, Cancel));

    public async Task<ProtocolError> RefusalAsync(IWireMessage request) =>
        (await Assert.ThrowsAsync<RequestRefusedException>(() => Wait.ForAsync(Connection.RequestAsync(request, Cancel)))).Error;

    public Task<RevocationsSubscribed> SubscribeAsync(ulong after) =>
        RequestAsync<RevocationsSubscribed>(new SubscribeRevocationsRequest(after));

    public Task<IWireMessage> NextPushAsync() => Wait.ForAsync(_pushes.Reader.ReadAsync(Cancel).AsTask());

    /// <summary>So many revocations, in however many pushes; another kind of push fails the test.</summary>
    public async Task<List<Revocation>> NextRevocationsAsync(int count)
    {
        var entries = new List<Revocation>();
        while (entries.Count < count)
        {
            entries.AddRange(Assert.IsType<Revocations>(await NextPushAsync()).Entries);
        }

        Assert.Equal(count, entries.Count);
        return entries;
    }

    /// <summary>Reads nothing more once the next push has come, until <see cref="ReadOn"/>.</summary>
    public void StopReading()
    {
        _held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _reading = _held.Task;
    }

    public void ReadOn() => _held?.TrySetResult();

    public Task<ChannelException> EndedAsync() => Wait.ForAsync(Connection.Ended);

    public ValueTask DisposeAsync()
    {
        ReadOn();
        return Connection.DisposeAsync();
    }

    private async ValueTask OnPushAsync(MessageCode code, ReadOnlyMemory<byte> payload)
    {
        _pushes.Writer.TryWrite(code switch
        {
            MessageCode.Revocations => WireReader.ReadWhole<Revocations>(payload.Span),
            MessageCode.ServerKeysChanged => WireReader.ReadWhole<ServerKeysChanged>(payload.Span),
            _ => WireReader.ReadWhole<Notice>(payload.Span),
        });
        await _reading;
    }
}
