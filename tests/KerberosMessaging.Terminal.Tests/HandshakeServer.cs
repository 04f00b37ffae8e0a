using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using KerberosMessaging.Client;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Transport;

namespace KerberosMessaging.Terminal.Tests;

/// <summary>A server that proves its key and can do nothing else.</summary>
internal sealed class HandshakeServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _closing = new();
    private readonly Ed25519PrivateKey _key = Ed25519PrivateKey.Generate();
    private readonly Task _running;

    public HandshakeServer()
    {
        _listener.Start();
        _running = RunAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Address => $"127.0.0.1:{Port}";

    public string Fingerprint => RealmPin.FingerprintOf(_key.PublicKey.Span);

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _listener.Dispose();
        _key.Dispose();
        _closing.Dispose();
    }

    private async Task RunAsync()
    {
        while (true)
        {
            using var client = await _listener.AcceptTcpClientAsync(_closing.Token);
            var pipe = new Pipe(PipeReader.Create(client.GetStream()), PipeWriter.Create(client.GetStream()));
            using var channel = await SecureChannel.AcceptAsync(pipe, ServerId.New(), _key, new ChannelOptions(), _closing.Token);
            if (channel is not null)
            {
                await channel.FlushAsync(_closing.Token);

                // Until the client leaves, which has what it came for.
                await channel.ReadAsync(_closing.Token);
            }
        }
    }

    private sealed record Pipe(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
