using System.IO.Pipelines;
using BenchmarkDotNet.Attributes;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;

namespace KerberosMessaging.Benchmarks;

/// <summary>The secure channel over in-memory pipes: a whole handshake, and one sealed frame from end to end.</summary>
[MemoryDiagnoser]
public class ChannelBenchmarks
{
    private readonly Ed25519PrivateKey _serverKey = Ed25519PrivateKey.Generate();
    private SecureChannel _client = null!;
    private SecureChannel _server = null!;
    private Deliver _message = null!;

    [Params(256, 16 * 1024)]
    public int EnvelopeBytes { get; set; }

    [GlobalSetup]
    public async Task SetUpAsync()
    {
        (_client, _server) = await ConnectAsync();
        _message = new Deliver(
            1, MessageId.New(), ClientId.New(), DeviceId.New(), "alice", DateTimeOffset.UnixEpoch, new byte[EnvelopeBytes]);
    }

    [Benchmark]
    public async Task HandshakeAsync()
    {
        var (client, server) = await ConnectAsync();
        client.Dispose();
        server.Dispose();
    }

    [Benchmark]
    public async Task<int> FrameAsync()
    {
        _server.Write(_message, 0);
        await _server.FlushAsync(CancellationToken.None);
        var frame = await _client.ReadAsync(CancellationToken.None);
        return frame!.Value.Payload.Length;
    }

    private async Task<(SecureChannel Client, SecureChannel Server)> ConnectAsync()
    {
        var options = new ChannelOptions();
        var toServer = new Pipe();
        var toClient = new Pipe();
        var accepting = Task.Run(async () =>
        {
            var channel = await SecureChannel.AcceptAsync(
                new Duplex(toServer.Reader, toClient.Writer), ServerId.New(), _serverKey, options, CancellationToken.None);
            await channel!.FlushAsync(CancellationToken.None);
            return channel;
        });
        var client = await SecureChannel.ConnectAsync(
            new Duplex(toClient.Reader, toServer.Writer), static _ => true, options, CancellationToken.None);
        return (client, await accepting);
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
