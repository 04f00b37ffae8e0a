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
using Channel = System.Threading.Channels.Channel;

namespace KerberosMessaging.MessageServer.Tests.Support;

/// <summary>An auth server as message servers know one, over real sockets and channels; it answers as the script says.</summary>
internal sealed class ScriptedAuthServer : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly Ed25519PrivateKey _key;
    private readonly CancellationTokenSource _stopping = new();
    private readonly System.Threading.Channels.Channel<IWireMessage> _received = Channel.CreateUnbounded<IWireMessage>();
    private readonly ConcurrentDictionary<Link, Task> _links = new();
    private readonly Task _loop;
    private int _accepted;

    public ScriptedAuthServer(Ed25519PrivateKey key, Func<RegisterServerRequest, IWireMessage?>? answer = null, int port = 0)
    {
        _key = key;
        Enrol = answer ?? (static _ => new ErrorReply(ProtocolError.EnrolmentRefused, 0));
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        Fingerprint = Convert.ToHexString(SHA256.HashData(key.PublicKey.Span));
        _loop = AcceptAsync();
    }

    public int Port { get; }

    public string Fingerprint { get; }

    /// <summary>How many connections came, those included that got no further.</summary>
    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>The enrolments that came, in order.</summary>
    public ConcurrentQueue<RegisterServerRequest> Requests { get; } = new();

    /// <summary>Answers an enrolment; null ends the connection without an answer.</summary>
    public Func<RegisterServerRequest, IWireMessage?> Enrol { get; set; }

    /// <summary>The key by which the server proves itself; null refuses every server.</summary>
    public ReadOnlyMemory<byte>? Enrolled { get; set; }

    /// <summary>What the server is given; each time made anew, because the receiver erases nothing of the sender's.</summary>
    public Func<ServerKeys>? Keys { get; set; }

    /// <summary>The newest position, as a new subscription is told.</summary>
    public ulong Newest { get; set; }

    /// <summary>Takes everything and answers nothing.</summary>
    public bool IsSilent { get; set; }

    /// <summary>Ends each connection before its handshake.</summary>
    public bool HangsUp { get; set; }

    /// <summary>The arguments with which a server finds this one.</summary>
    public string[] Arguments => ["--Realm:Host=127.0.0.1", $"--Realm:Port={Port}"];

    /// <summary>Knows a realm's server and has keys for it.</summary>
    public static ScriptedAuthServer Of(TestRealm realm) =>
        new(realm.Key) { Enrolled = realm.ServerKey.PublicKey, Keys = () => realm.WireKeys };

    /// <summary>Takes what came, in order, up to the first of a kind.</summary>
    public async Task<T> NextAsync<T>(CancellationToken cancellationToken)
        where T : IWireMessage
    {
        while (true)
        {
            if (await _received.Reader.ReadAsync(cancellationToken) is T found)
            {
                return found;
            }
        }
    }

    /// <summary>Whether nothing came that was not taken.</summary>
    public bool HasNothingMore => _received.Reader.Count == 0;

    public async Task PushAsync(IWireMessage message)
    {
        foreach (var link in _links.Keys.Where(static link => link.IsProven))
        {
            await link.WriteAsync(message, 0);
        }
    }

    /// <summary>Ends all connections.</summary>
    public void Drop()
    {
        foreach (var link in _links.Keys)
        {
            link.Close();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Dispose();
        Drop();
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_links.Values).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var client = await _listener.AcceptTcpClientAsync(_stopping.Token);
            Interlocked.Increment(ref _accepted);
            if (HangsUp)
            {
                client.Dispose();
                continue;
            }

            var link = new Link(client);
            _links[link] = ServeAsync(link);
        }
    }

    private async Task ServeAsync(Link link)
    {
        try
        {
            await link.AcceptAsync(_key, _stopping.Token);
            while (await link.Channel.ReadAsync(_stopping.Token) is { } frame)
            {
                var request = Read(frame.Code, frame.Payload.Span);
                if (Answer(link, request) is { } answer)
                {
                    _received.Writer.TryWrite(request);
                    await link.WriteAsync(answer, frame.RequestId);
                }
                else if (request is RegisterServerRequest)
                {
                    return;
                }
            }
        }
        catch (Exception e) when (e is ChannelException or IOException or OperationCanceledException or ObjectDisposedException or ProtocolException)
        {
            // The other end has gone, or this one is to.
        }
        finally
        {
            _links.TryRemove(link, out _);
            link.Dispose();
        }
    }

    private static IWireMessage Read(MessageCode code, ReadOnlySpan<byte> payload) => code switch
    {
        MessageCode.RegisterServer => WireReader.ReadWhole<RegisterServerRequest>(payload),
        MessageCode.AuthenticateServer => WireReader.ReadWhole<AuthenticateServerRequest>(payload),
        MessageCode.SubscribeRevocations => WireReader.ReadWhole<SubscribeRevocationsRequest>(payload),
        MessageCode.FetchServerKeys => WireReader.ReadWhole<FetchServerKeysRequest>(payload),
        MessageCode.ConfirmServerKeys => WireReader.ReadWhole<ConfirmServerKeysRequest>(payload),
        _ => throw new InvalidOperationException($"An unexpected request: {code}."),
    };

    private IWireMessage? Answer(Link link, IWireMessage request)
    {
        switch (request)
        {
            case RegisterServerRequest enrolment:
                Assert.True(ServerProof.IsEnrolmentSigned(
                    enrolment.Signature, enrolment.SigningKey, link.Channel.ChannelBinding.Span, enrolment.Token));
                Requests.Enqueue(enrolment);
                return Enrol(enrolment);
            case not null when IsSilent:
                return null;
            case AuthenticateServerRequest proof:
                link.IsProven = Enrolled is { } key && ServerProof.IsAuthenticationSigned(
                    proof.Signature, key.Span, link.Channel.ChannelBinding.Span, proof.Server, proof.Name, proof.Host, proof.Port);
                return link.IsProven ? Keys!() : new ErrorReply(ProtocolError.EnrolmentRefused, 0);
            default:
                Assert.True(link.IsProven);
                return request switch
                {
                    SubscribeRevocationsRequest => new RevocationsSubscribed(Newest),
                    FetchServerKeysRequest => Keys!(),
                    _ => new Done(),
                };
        }
    }

    private sealed class Link(TcpClient client) : IDuplexPipe, IDisposable
    {
        private readonly SemaphoreSlim _writing = new(1);

        public SecureChannel Channel { get; private set; } = null!;

        public bool IsProven { get; set; }

        public PipeReader Input { get; } = PipeReader.Create(client.GetStream());

        public PipeWriter Output { get; } = PipeWriter.Create(client.GetStream());

        public async Task AcceptAsync(Ed25519PrivateKey key, CancellationToken cancellationToken)
        {
            Channel = await SecureChannel.AcceptAsync(this, ServerId.New(), key, new ChannelOptions(), cancellationToken)
                ?? throw new IOException("The other end left before its hello.");
            await Channel.FlushAsync(cancellationToken);
        }

        public async Task WriteAsync(IWireMessage message, uint requestId)
        {
            await _writing.WaitAsync();
            try
            {
                Channel.Write(message, requestId);
                await Channel.FlushAsync(CancellationToken.None);
            }
            finally
            {
                _writing.Release();
            }
        }

        public void Close() => client.Dispose();

        public void Dispose()
        {
            Close();
            _writing.Dispose();
        }
    }
}
