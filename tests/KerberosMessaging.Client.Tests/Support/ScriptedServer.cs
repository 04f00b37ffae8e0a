using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Transport;

namespace KerberosMessaging.Client.Tests.Support;

/// <summary>Answers one request; null for no answer at all.</summary>
internal delegate IWireMessage? Answer(ScriptedConnection connection, ReadOnlySpan<byte> payload);

/// <summary>A server that proves its key honestly and then answers what the test says.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _closing = new();
    private readonly ConcurrentQueue<(MessageCode Code, byte[] Payload)> _requests = new();
    private readonly ConcurrentDictionary<MessageCode, Answer> _answers = new();
    private readonly ConcurrentBag<Task> _connections = [];
    private readonly Task _accepting;

    public ScriptedServer()
    {
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    public ServerId Id { get; } = ServerId.New();

    public Ed25519PrivateKey Key { get; } = Ed25519PrivateKey.Generate();

    public int Port { get; }

    /// <summary>Every request that came, in order, as the client wrote it.</summary>
    public IReadOnlyList<(MessageCode Code, byte[] Payload)> Requests => [.. _requests];

    public void On<TRequest>(Func<ScriptedConnection, TRequest, IWireMessage?> answer)
        where TRequest : IWireMessage<TRequest> =>
        _answers[TRequest.Code] = (connection, payload) => answer(connection, WireReader.ReadWhole<TRequest>(payload));

    public void On<TRequest>(Func<TRequest, IWireMessage?> answer)
        where TRequest : IWireMessage<TRequest> => On<TRequest>((_, request) => answer(request));

    /// <summary>Changes the answer to one kind of request, until it is disposed of.</summary>
    public IDisposable Twist(MessageCode code, Func<IWireMessage?, IWireMessage?> twist)
    {
        var honest = _answers[code];
        _answers[code] = (connection, payload) => twist(honest(connection, payload));
        return new Untwisting(this, code, honest);
    }

    /// <summary>Pushes something before what an honest server pushes after one kind of request, until it is disposed of.</summary>
    public IDisposable TwistPushes(MessageCode code, Func<IWireMessage?> push)
    {
        var honest = _answers[code];
        _answers[code] = (connection, payload) =>
        {
            if (push() is { } first)
            {
                connection.PushAfterwards(first);
            }

            return honest(connection, payload);
        };
        return new Untwisting(this, code, honest);
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        _listener.Stop();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_connections);
        Key.Dispose();
        _closing.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var client = await _listener.AcceptTcpClientAsync(_closing.Token);
            _connections.Add(ServeAsync(client));
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            client.NoDelay = true;
            var stream = client.GetStream();
            try
            {
                using var channel = await SecureChannel.AcceptAsync(
                    new StreamPipe(PipeReader.Create(stream), PipeWriter.Create(stream)),
                    Id,
                    Key,
                    new ChannelOptions { PayloadLimit = ProtocolLimits.PayloadAfterAuthentication },
                    _closing.Token);
                if (channel is not null)
                {
                    await channel.FlushAsync(_closing.Token);
                    await ServeAsync(new ScriptedConnection(channel));
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or ProtocolException)
            {
                // The client left, or the test ended.
            }
        }
    }

    private async Task ServeAsync(ScriptedConnection connection)
    {
        var channel = connection.Channel;
        while (await channel.ReadAsync(_closing.Token) is { } frame)
        {
            _requests.Enqueue((frame.Code, frame.Payload.ToArray()));
            if (!_answers.TryGetValue(frame.Code, out var answer))
            {
                return;
            }

            if (answer(connection, frame.Payload.Span) is { } reply)
            {
                channel.Write(reply, frame.RequestId);
            }

            await channel.FlushAsync(_closing.Token);
            if (connection.TakeMixKey() is { } key)
            {
                channel.MixReceive(key.Span);
                channel.MixSend(key.Span);
                key.Dispose();
            }

            foreach (var push in connection.TakePushes())
            {
                channel.Write(push, 0);
            }

            await channel.FlushAsync(_closing.Token);
        }
    }

    private sealed class Untwisting(ScriptedServer server, MessageCode code, Answer honest) : IDisposable
    {
        public void Dispose() => server._answers[code] = honest;
    }

    private sealed record StreamPipe(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
