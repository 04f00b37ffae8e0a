using System.IO.Pipelines;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Transport.Tests;

/// <summary>A client's connection to a server that does what the test says, frame by frame.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly DuplexPipe _end;

    private ScriptedServer(DuplexPipe end, SecureChannel channel, RequestConnection client) =>
        (_end, Channel, Client) = (end, channel, client);

    /// <summary>The server's end.</summary>
    public SecureChannel Channel { get; }

    /// <summary>The client under test.</summary>
    public RequestConnection Client { get; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<ScriptedServer> StartAsync(
        Func<MessageCode, ReadOnlyMemory<byte>, ValueTask>? onPush = null, ChannelOptions? options = null)
    {
        var (client, server) = DuplexPipe.CreatePair(PipeScheduler.ThreadPool);
        var connecting = SecureChannel.ConnectAsync(client, ChannelPair.IsExpectedKey, new ChannelOptions(), Cancel);
        var channel = await SecureChannel.AcceptAsync(
            server, ChannelPair.ServerId, ChannelPair.SigningKey, new ChannelOptions(), Cancel);
        await channel!.FlushAsync(Cancel);
        return new ScriptedServer(server, channel, new RequestConnection(await connecting, client, onPush, options));
    }

    /// <summary>Reads the next request and gives its number.</summary>
    public async Task<uint> ExpectAsync<T>(T request)
        where T : IWireMessage<T>
    {
        var frame = await Channel.ReadAsync(Cancel);
        Assert.NotNull(frame);
        Assert.Equal(T.Code, frame.Value.Code);
        Assert.Equal(WireWriter.ToArray(request), frame.Value.Payload.ToArray());
        return frame.Value.RequestId;
    }

    public async Task SendAsync(params (IWireMessage Message, uint RequestId)[] frames)
    {
        foreach (var (message, requestId) in frames)
        {
            Channel.Write(message, requestId);
        }

        await Channel.FlushAsync(Cancel);
    }

    /// <summary>Ends the connection as a server does that is gone.</summary>
    public ValueTask LeaveAsync() => _end.DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        Channel.Dispose();
        await _end.DisposeAsync();
    }
}
