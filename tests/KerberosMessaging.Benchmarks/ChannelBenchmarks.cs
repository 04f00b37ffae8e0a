using System.IO.Pipelines;
using BenchmarkDotNet.Attributes;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;

namespace KerberosMessaging.Benchmarks;

/// <summary>
/// The secure channel over in-memory pipes: a whole handshake, one sealed frame from end to end, and frames that travel together.
/// </summary>
[MemoryDiagnoser]
public class ChannelBenchmarks
{
    private const string Accepted = "ACCEPTED (91 B)";
    private const string Deliver256 = "DELIVER 256 B (411 B)";
    private const string Deliver16K = "DELIVER 16 KiB";
    private const int Together = 64;

    private static readonly Dictionary<string, IWireMessage> Messages = new()
    {
        [Accepted] = new MessageAccepted(DateTimeOffset.UnixEpoch),
        [Deliver256] = Deliver(256),
        [Deliver16K] = Deliver(16 * 1024),
    };

    private readonly Ed25519PrivateKey _serverKey = Ed25519PrivateKey.Generate();
    private SecureChannel _client = null!;
    private SecureChannel _server = null!;

    [GlobalSetup]
    public async Task SetUpAsync() => (_client, _server) = await ConnectAsync();

    [Benchmark]
    public async Task HandshakeAsync()
    {
        var (client, server) = await ConnectAsync();
        client.Dispose();
        server.Dispose();
    }

    [Benchmark]
    [Arguments(Accepted)]
    [Arguments(Deliver256)]
    [Arguments(Deliver16K)]
    public async Task<int> FrameAsync(string message)
    {
        _server.Write(Messages[message], 0);
        await _server.FlushAsync(CancellationToken.None);
        var frame = await _client.ReadAsync(CancellationToken.None);
        return frame!.Value.Payload.Length;
    }

    /// <summary>64 frames in one flush, read one by one; the figure is for one of them.</summary>
    [Benchmark(OperationsPerInvoke = Together)]
    [Arguments(Accepted)]
    [Arguments(Deliver256)]
    public async Task<int> FramesTogetherAsync(string message)
    {
        var sent = Messages[message];
        for (var i = 0; i < Together; i++)
        {
            _server.Write(sent, 0);
        }

        await _server.FlushAsync(CancellationToken.None);
        var length = 0;
        for (var i = 0; i < Together; i++)
        {
            length += (await _client.ReadAsync(CancellationToken.None))!.Value.Payload.Length;
        }

        return length;
    }

    private static Deliver Deliver(int envelopeBytes) => new(
        1, MessageId.New(), ClientId.New(), DeviceId.New(), "alice", DateTimeOffset.UnixEpoch, new byte[envelopeBytes]);

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
