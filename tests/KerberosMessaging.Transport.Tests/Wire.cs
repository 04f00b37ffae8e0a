using System.IO.Pipelines;

namespace KerberosMessaging.Transport.Tests;

/// <summary>A connection with the test in the middle: nothing passes from one end to the other unless the test passes it on.</summary>
internal sealed class Wire
{
    private readonly DuplexPipe _atClient;
    private readonly DuplexPipe _atServer;

    public Wire()
    {
        (Client, _atClient) = DuplexPipe.CreatePair(PipeScheduler.Inline);
        (_atServer, Server) = DuplexPipe.CreatePair(PipeScheduler.Inline);
    }

    public DuplexPipe Client { get; }

    public DuplexPipe Server { get; }

    /// <summary>What the client has sent since the last call.</summary>
    public byte[] TakeFromClient() => _atClient.TakeArrived();

    /// <summary>What the server has sent since the last call.</summary>
    public byte[] TakeFromServer() => _atServer.TakeArrived();

    public Task SendToServerAsync(ReadOnlyMemory<byte> bytes) => _atServer.SendAsync(bytes);

    public Task SendToClientAsync(ReadOnlyMemory<byte> bytes) => _atClient.SendAsync(bytes);

    /// <summary>The server sees the end of the stream.</summary>
    public async Task EndTowardsServerAsync() => await _atServer.Output.CompleteAsync();

    /// <summary>The client sees the end of the stream.</summary>
    public async Task EndTowardsClientAsync() => await _atClient.Output.CompleteAsync();

    /// <summary>Nobody reads what the client sends any more.</summary>
    public async Task CloseTowardsClientAsync() => await _atClient.DisposeAsync();
}
