using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;
using KerberosMessaging.Transport;

namespace KerberosMessaging.MessageServer.Tests.Enrolment;

/// <summary>An auth server that answers each enrolment as the script says, over a real socket and a real channel.</summary>
internal sealed class ScriptedAuthServer : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Func<RegisterServerRequest, IWireMessage> _answer;
    private readonly Task _loop;

    public ScriptedAuthServer(Ed25519PrivateKey key, Func<RegisterServerRequest, IWireMessage> answer, int port = 0)
    {
        _answer = answer;
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start();
        Fingerprint = Convert.ToHexString(SHA256.HashData(key.PublicKey.Span));
        _loop = RunAsync(key);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Fingerprint { get; }

    /// <summary>What came, in order.</summary>
    public ConcurrentQueue<RegisterServerRequest> Requests { get; } = new();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Dispose();
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    private async Task RunAsync(Ed25519PrivateKey key)
    {
        while (true)
        {
            using var client = await _listener.AcceptTcpClientAsync(_stopping.Token);
            using var channel = await SecureChannel.AcceptAsync(
                new Pipe(client.GetStream()), ServerId.New(), key, new ChannelOptions(), _stopping.Token);
            await channel!.FlushAsync(_stopping.Token);
            if (await channel.ReadAsync(_stopping.Token) is not { } frame)
            {
                continue;
            }

            var request = WireReader.ReadWhole<RegisterServerRequest>(frame.Payload.Span);
            Assert.True(ServerProof.IsEnrolmentSigned(request.Signature, request.SigningKey, channel.ChannelBinding.Span, request.Token));
            Requests.Enqueue(request);
            channel.Write(_answer(request), frame.RequestId);
            await channel.FlushAsync(_stopping.Token);

            // Until the client has read it and closes.
            await channel.ReadAsync(_stopping.Token);
        }
    }

    private sealed class Pipe(NetworkStream stream) : IDuplexPipe
    {
        public PipeReader Input { get; } = PipeReader.Create(stream);

        public PipeWriter Output { get; } = PipeWriter.Create(stream);
    }
}
