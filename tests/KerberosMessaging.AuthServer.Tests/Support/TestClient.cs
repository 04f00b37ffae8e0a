using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;
using KerberosMessaging.Transport;
using Channel = System.Threading.Channels.Channel;

namespace KerberosMessaging.AuthServer.Tests.Support;

/// <summary>A client's end of a real connection; it drives OPAQUE step by step and keeps what the server pushes.</summary>
internal sealed class TestClient : IAsyncDisposable
{
    private readonly System.Threading.Channels.Channel<Notice> _notices = Channel.CreateUnbounded<Notice>();

    private TestClient()
    {
    }

    public RequestConnection Connection { get; private set; } = null!;

    public ReadOnlyMemory<byte> ChannelBinding => Connection.Channel.ChannelBinding;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<TestClient> ConnectAsync(int port, ReadOnlyMemory<byte> realmKey)
    {
        var client = new TestClient();
        client.Connection = await RequestConnection.ConnectAsync(
            "127.0.0.1", port, key => key.SequenceEqual(realmKey.Span), new ChannelOptions(), client.OnPush, Cancel);
        return client;
    }

    public Task<TReply> RequestAsync<TReply>(IWireMessage request)
        where TReply : IWireMessage<TReply> => Wait.ForAsync(Connection.RequestAsync<TReply>(request, Cancel));

    public Task<WireReply> RequestAsync(IWireMessage request) => Wait.ForAsync(Connection.RequestAsync(request, Cancel));

    /// <summary>Sends a request that must be answered with an error frame which leaves the connection open.</summary>
    public async Task<ProtocolError> RefusalAsync(IWireMessage request) =>
        (await Assert.ThrowsAsync<RequestRefusedException>(() => RequestAsync(request))).Error;

    /// <summary>Sends a registration's request that must be refused.</summary>
    public async Task<RegistrationRefusal> RegistrationRefusalAsync(IWireMessage request) =>
        (await RequestAsync<RegistrationRefused>(request)).Reason;

    public Task<Notice> NextNoticeAsync() => Wait.ForAsync(_notices.Reader.ReadAsync(Cancel).AsTask());

    public Task<ChannelException> EndedAsync() => Wait.ForAsync(Connection.Ended);

    /// <summary>Both steps of a registration.</summary>
    public async Task<ClientRegistered> RegisterAsync(TestAccount account)
    {
        var (record, stretching) = await StartRegistrationAsync(account);
        return await RequestAsync<ClientRegistered>(new FinishRegistrationRequest(account.Name, record, stretching));
    }

    /// <summary>The first step of a registration, and what the second needs.</summary>
    public async Task<(byte[] Record, Stretching Stretching)> StartRegistrationAsync(TestAccount account)
    {
        using var registration = OpaqueClientRegistration.Start(account.PasswordBytes);
        var challenge = await RequestAsync<RegistrationChallenge>(
            new RegisterClientRequest(account.Name, "", registration.Request.ToArray()));
        Assert.True(registration.TryFinish(
            challenge.RegistrationResponse, Parameters(challenge.Stretching), [], [], out var result));
        using (result)
        {
            return (result.Record, challenge.Stretching);
        }
    }

    /// <summary>Both steps of a login.</summary>
    public async Task<TestTicket> LoginAsync(TestAccount account, TestDevice? device = null)
    {
        using var result = await ProvePasswordAsync(account);
        var granted = await RequestAsync<TicketGranted>((device ?? account.Device).Finish(result.Ke3, ChannelBinding));
        return Open(granted, result.SessionKey);
    }

    /// <summary>The first step of a login, and what the second needs.</summary>
    public async Task<OpaqueLoginResult> ProvePasswordAsync(TestAccount account)
    {
        using var login = OpaqueClientLogin.Start(account.PasswordBytes);
        var challenge = await StartLoginAsync(account.Name, login);
        Assert.True(TryFinish(login, challenge, ChannelBinding, out var result));
        return result!;
    }

    public Task<LoginChallenge> StartLoginAsync(string name, OpaqueClientLogin login) =>
        RequestAsync<LoginChallenge>(new StartLoginRequest(name, login.Ke1.ToArray()));

    public static bool TryFinish(
        OpaqueClientLogin login, LoginChallenge challenge, ReadOnlyMemory<byte> channelBinding, out OpaqueLoginResult? result) =>
        login.TryFinish(
            challenge.Ke2,
            Parameters(challenge.Stretching),
            [],
            [],
            LoginProof.OpaqueContext(channelBinding.Span),
            out result);

    public static TestTicket Open(TicketGranted granted, SecretBytes key)
    {
        var part = AsReplyPart.TryOpen(granted.SealedPart, key, granted.Ticket);
        Assert.NotNull(part);
        return new TestTicket(granted.Ticket, part);
    }

    /// <summary>TGS exchange.</summary>
    public async Task<(byte[] Ticket, TgsReplyPart Part)> RequestServiceTicketAsync(TestTicket ticket, ServerId server)
    {
        var reply = await RequestAsync<ServiceTicketReply>(
            ticket.Request(this, MessageCode.RequestServiceTicket, server: server));
        var part = TgsReplyPart.TryOpen(reply.SealedPart, ticket.SessionKey, reply.Ticket);
        Assert.NotNull(part);
        return (reply.Ticket, part);
    }

    public async Task<TestTicket> RenewAsync(TestTicket ticket) =>
        Open(await RequestAsync<TicketGranted>(ticket.Request(this, MessageCode.RenewTicket)), ticket.SessionKey);

    /// <summary>AP exchange with the auth server itself.</summary>
    public async Task<ApReplyPart> PresentAsync(TestTicket ticket)
    {
        var authenticator = Authenticator.For(ChannelBinding.Span);
        ApReplyPart? proof = null;
        await Wait.ForAsync(Connection.PresentTicketAsync(
            new PresentTicketRequest(ticket.Bytes, authenticator.Seal(ticket.SessionKey, MessageCode.PresentTicket)),
            accepted =>
            {
                proof = ApReplyPart.TryOpen(accepted.SealedPart, ticket.SessionKey, authenticator.Nonce);
                return proof is null ? null : SessionKey.ForChannel(ticket.SessionKey, authenticator.Nonce);
            },
            Cancel));
        return proof!;
    }

    public ValueTask DisposeAsync() => Connection.DisposeAsync();

    public static StretchingParameters Parameters(Stretching stretching) =>
        new((StretchingAlgorithm)stretching.Algorithm, stretching.Iterations, stretching.MemoryKiB);

    private ValueTask OnPush(MessageCode code, ReadOnlyMemory<byte> payload)
    {
        Assert.Equal(MessageCode.Notice, code);
        _notices.Writer.TryWrite(WireReader.ReadWhole<Notice>(payload.Span));
        return ValueTask.CompletedTask;
    }
}
