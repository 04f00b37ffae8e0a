using System.Collections.Concurrent;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.Client.Tests.Support;

/// <summary>
/// An auth server and a message server that are honest until a test twists one of their answers. They know nothing of time,
/// disks and limits; the real ones are tested elsewhere.
/// </summary>
internal sealed class ScriptedRealm : IAsyncDisposable
{
    private const uint KeyVersion = 1;

    private static readonly StretchingParameters Cheapest = StretchingParameters.Default;

    private readonly OpaqueServer _opaque;
    private readonly SecretBytes _ticketKey = SecretBytes.Random(AuthenticatedCbc.KeySize);
    private readonly SecretBytes _serviceKey = SecretBytes.Random(ServiceTicket.ServiceKeySize);
    private readonly ConcurrentDictionary<string, ScriptedClient> _clients = new();
    private readonly ConcurrentDictionary<ClientId, ulong> _sequences = new();

    public ScriptedRealm()
    {
        var (seed, privateKey) = OpaqueServer.GenerateKeys();
        _opaque = new OpaqueServer(seed.Span, privateKey.Span);
        seed.Dispose();
        privateKey.Dispose();
        ScriptAuth();
        ScriptMessage();
    }

    public static DateTimeOffset Now => DateTimeOffset.FromUnixTimeMilliseconds(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());

    public ScriptedServer Auth { get; } = new();

    public ScriptedServer Message { get; } = new();

    public RealmPin Pin => new()
    {
        Host = "127.0.0.1",
        Port = Auth.Port,
        Fingerprint = RealmPin.FingerprintOf(Auth.Key.PublicKey.Span),
    };

    public void Add(ScriptedClient client) => _clients[client.Name] = client;

    public ScriptedClient Find(string name) => _clients[name];

    /// <summary>What the realm would answer to a look-up.</summary>
    public ClientFound LookUp(string name)
    {
        var client = Find(name);
        return new ClientFound(client.Id, client.Name, Message.Id, [.. client.Certificates.Select(device => new FoundDevice(device.Value, client.Links.GetValueOrDefault(device.Key, [])))]);
    }

    /// <summary>Puts a message into a mailbox.</summary>
    public Deliver Post(string from, DeviceId device, string to, byte[] envelope, MessageId? message = null, string? claiming = null)
    {
        var sender = Find(from);
        var recipient = Find(to);
        var delivery = new Deliver(
            _sequences.AddOrUpdate(recipient.Id, 1, static (_, last) => last + 1),
            message ?? MessageId.New(),
            sender.Id,
            device,
            claiming ?? sender.Name,
            Now,
            envelope);
        recipient.Mailbox.Enqueue(delivery);
        return delivery;
    }

    /// <summary>Puts a message into a mailbox, under its own id.</summary>
    public Deliver Post(string from, DeviceId device, string to, ScriptedEnvelope envelope, string? claiming = null) =>
        Post(from, device, to, envelope.Bytes, envelope.Message, claiming);

    public static SecretBytes PasswordOf(string name) => Password.FromCharacters($"correct horse {name}");

    public static MessagingOptions Options(TempFolder folder, string name) => new()
    {
        StorePath = folder.File($"{name}.db"),
        DeviceName = "laptop",
        OperationTimeout = TimeSpan.FromMilliseconds(500),
        FirstReconnectDelay = TimeSpan.FromMilliseconds(20),
        LongestReconnectDelay = TimeSpan.FromMilliseconds(50),
    };

    public async Task<MessagingClient> JoinAsync(
        TempFolder folder, string name, CancellationToken cancellationToken, TimeSpan? timeout = null)
    {
        using var password = PasswordOf(name);
        var options = Options(folder, name) with { OperationTimeout = timeout ?? TimeSpan.FromSeconds(10) };
        await MessagingClient.RegisterAsync(Pin, name, password, options, cancellationToken: cancellationToken);
        return await MessagingClient.LoginAsync(Pin, name, password, options, cancellationToken: cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await Auth.DisposeAsync();
        await Message.DisposeAsync();
        _opaque.Dispose();
        _ticketKey.Dispose();
        _serviceKey.Dispose();
    }

    private static byte[] CredentialOf(string name) => System.Text.Encoding.UTF8.GetBytes(name);

    private static Stretching OnWire(StretchingParameters parameters) =>
        new((byte)parameters.Algorithm, parameters.Iterations, parameters.MemoryKiB);

    private static TicketTimes Times() => new(Now, Now, Now + TimeSpan.FromHours(1), Now + TimeSpan.FromHours(2));

    private void ScriptAuth()
    {
        Auth.On<RegisterClientRequest>(request =>
        {
            var response = new byte[Opaque.RegistrationResponseSize];
            Assert.True(_opaque.TryCreateRegistrationResponse(request.RegistrationRequest, CredentialOf(request.Name), response));
            return new RegistrationChallenge(response, OnWire(Cheapest), 8);
        });
        Auth.On<FinishRegistrationRequest>(request =>
        {
            var client = new ScriptedClient(request.Name) { Record = request.RegistrationRecord };
            return _clients.TryAdd(request.Name, client)
                ? new ClientRegistered(client.Id)
                : new RegistrationRefused(RegistrationRefusal.NameTaken);
        });
        Auth.On<StartLoginRequest>((connection, request) =>
        {
            connection.Client = _clients.GetValueOrDefault(request.Name);
            return new LoginChallenge(OnWire(Cheapest), StartLogin(connection, request.Name, request.Ke1));
        });
        Auth.On<FetchPreviousKeysRequest>((connection, request) => connection.TryProve(request.Ke3, out _)
            ? new PreviousKeysReply(connection.Client!.PreviousKeys)
            : new ErrorReply(ProtocolError.LoginFailed, 0));
        Auth.On<FinishLoginRequest>(FinishLogin);
        Auth.On<StartPasswordChangeRequest>((connection, request) =>
        {
            var response = new byte[Opaque.RegistrationResponseSize];
            var client = connection.Client!;
            Assert.True(_opaque.TryCreateRegistrationResponse(request.RegistrationRequest, CredentialOf(client.Name), response));
            return new PasswordChangeChallenge(
                OnWire(Cheapest), StartLogin(connection, client.Name, request.Ke1), response, OnWire(Cheapest), 8, client.PreviousKeys);
        });
        Auth.On<FinishPasswordChangeRequest>((connection, request) =>
        {
            if (!connection.TryProve(request.Ke3, out _))
            {
                return new ErrorReply(ProtocolError.LoginFailed, 0);
            }

            (connection.Client!.Record, connection.Client.PreviousKeys) = (request.RegistrationRecord, request.PreviousKeys);
            return new Done();
        });
        Auth.On<PresentTicketRequest>((connection, request) =>
            Accept(connection, request, TicketGrantingTicket.TryOpen(request.Ticket, _ticketKey.Span)));
        Auth.On<ListServersRequest>(_ => new ServerList(
            [new ServerEntry(Message.Id, "message-1", "127.0.0.1", (ushort)Message.Port, Message.Key.PublicKey.ToArray())]));
        Auth.On<LookUpClientRequest>(request => _clients.ContainsKey(request.Name)
            ? LookUp(request.Name)
            : new ErrorReply(ProtocolError.UnknownClient, 0));
        Auth.On<LinkDeviceRequest>((connection, request) =>
        {
            connection.Client!.Links[request.Device] = request.Link;
            return new Done();
        });
        Auth.On<ServiceTicketRequest>((connection, request) => GrantService(connection, request));
        Auth.On<LogoutRequest>(_ => new Done());
    }

    private byte[] StartLogin(ScriptedConnection connection, string name, byte[] ke1)
    {
        var credential = CredentialOf(name);
        Assert.True(_opaque.TryStartLogin(
            connection.Client is { } known ? known.Record : _opaque.FakeRecord,
            ke1,
            credential,
            [],
            [],
            LoginProof.OpaqueContext(connection.Binding),
            out var login));
        connection.Login = login;
        return login.Ke2.ToArray();
    }

    private IWireMessage? FinishLogin(ScriptedConnection connection, FinishLoginRequest request)
    {
        if (connection.Client is not { } client || !connection.TryProve(request.Ke3, out var key))
        {
            return new ErrorReply(ProtocolError.LoginFailed, 0);
        }

        Assert.True(LoginProof.IsSignedByDevice(
            request.Signature, connection.Binding, request.Ke3, request.Device, request.DeviceIdentity));
        client.Certificates[request.Device] = client.Certify(request.Device, request.DeviceIdentity).Sign(Auth.Key);
        return Grant(client, request.Device, key);
    }

    private TicketGranted Grant(ScriptedClient client, DeviceId device, SecretBytes key)
    {
        using var body = Body(client, device);
        var ticket = TicketGrantingTicket.Seal(body, _ticketKey.Span, KeyVersion);
        using var part = new AsReplyPart
        {
            SessionKey = body.SessionKey.Clone(),
            Session = body.Session,
            Client = client.Id,
            ClientName = client.Name,
            ServerTime = Now,
            Times = body.Times,
            Certificate = client.Certificates[device],
            WantsNewRecord = client.WantsNewRecord,
        };
        return new TicketGranted(ticket, part.Seal(key, ticket));
    }

    private static TicketBody Body(ScriptedClient client, DeviceId device) => new()
    {
        Session = SessionId.New(),
        Client = client.Id,
        ClientName = client.Name,
        Device = device,
        SessionKey = SessionKey.New(),
        Times = Times(),
    };

    private IWireMessage GrantService(ScriptedConnection connection, ServiceTicketRequest request)
    {
        using var granting = TicketGrantingTicket.TryOpen(request.Ticket, _ticketKey.Span);
        if (granting is null
            || Authenticator.TryOpen(request.Authenticator, granting.SessionKey, ServiceTicketRequest.Code, connection.Binding) is null)
        {
            return new ErrorReply(ProtocolError.TicketRefused, 0);
        }

        using var body = Body(Find(granting.ClientName), granting.Device);
        var ticket = ServiceTicket.Seal(body, request.Server, _serviceKey.Span, KeyVersion, Auth.Key, KeyVersion);
        using var part = new TgsReplyPart
        {
            SessionKey = body.SessionKey.Clone(),
            Server = request.Server,
            ServerTime = Now,
            Times = body.Times,
        };
        return new ServiceTicketReply(ticket, part.Seal(granting.SessionKey, ticket));
    }

    private IWireMessage Accept(ScriptedConnection connection, PresentTicketRequest request, TicketBody? opened)
    {
        using var body = opened;
        if (body is null
            || Authenticator.TryOpen(request.Authenticator, body.SessionKey, PresentTicketRequest.Code, connection.Binding) is not { } authenticator)
        {
            return new ErrorReply(ProtocolError.TicketRefused, 0);
        }

        connection.Client = Find(body.ClientName);
        connection.Device = body.Device;
        connection.MixAfterwards(SessionKey.ForChannel(body.SessionKey, authenticator.Nonce));
        return new TicketAccepted(new ApReplyPart(authenticator.Nonce, Now, body.Times.EndsAt).Seal(body.SessionKey));
    }

    private static PrekeyStatus StockOf(ScriptedConnection connection)
    {
        var stock = connection.Client!.OneTimePrekeys.GetOrAdd(connection.Device, static _ => []);
        return new PrekeyStatus(Of(OneTimePrekeyKind.X25519), Of(OneTimePrekeyKind.MlKem768));

        OneTimePrekeyStock Of(OneTimePrekeyKind kind)
        {
            var keys = stock.Where(key => key.Kind == kind).ToList();
            return new OneTimePrekeyStock(keys.Count, connection.Client.NewestPrekeyId(connection.Device, kind), 0);
        }
    }

    private void ScriptMessage()
    {
        Message.On<PresentTicketRequest>((connection, request) => Accept(
            connection,
            request,
            ServiceTicket.TryOpen(request.Ticket, Message.Id, _ => _serviceKey, _ => Auth.Key.PublicKey.ToArray())));
        Message.On<PrekeyStatusRequest>((connection, _) => StockOf(connection));
        Message.On<UploadPrekeysRequest>((connection, request) =>
        {
            var client = connection.Client!;
            if (request.Bundle.Length > 0)
            {
                client.Prekeys[connection.Device] = request.Bundle;
            }

            var stock = client.OneTimePrekeys.GetOrAdd(connection.Device, static _ => []);
            stock.RemoveAll(key => key.Id < request.DropBelow);
            stock.AddRange(request.OneTimePrekeys);
            return StockOf(connection);
        });
        Message.On<FetchPrekeysRequest>(request =>
        {
            var client = _clients.Values.Single(client => client.Id == request.Client);
            return new PrekeysReply([.. client.Prekeys
                .Where(prekeys => request.Devices.Contains(prekeys.Key))
                .Select(prekeys => new DevicePrekeyBundle(prekeys.Key, prekeys.Value, client.TakeOneTimePrekeys(prekeys.Key)))]);
        });
        Message.On<SendMessageRequest>((connection, request) =>
        {
            var recipient = _clients.Values.Single(client => client.Id == request.Recipient);
            foreach (var envelope in request.Envelopes)
            {
                Post(connection.Client!.Name, connection.Device, recipient.Name, envelope.Envelope, request.Message);
            }

            return new MessageAccepted(Now);
        });
        Message.On<GrantCreditRequest>((connection, _) =>
        {
            // All that waits comes at each grant, as often as that may be: the client knows what it has.
            var waiting = connection.Client!.Mailbox.ToArray();
            foreach (var delivery in waiting)
            {
                connection.PushAfterwards(delivery);
            }

            return new CreditGranted(waiting.Length == 0 ? 0 : waiting[^1].Sequence);
        });
        Message.On<AcknowledgeRequest>((connection, request) =>
        {
            var mailbox = connection.Client!.Mailbox;
            while (mailbox.TryPeek(out var oldest)
                && request.Ranges.Any(range => range.First <= oldest.Sequence && oldest.Sequence <= range.Last))
            {
                mailbox.TryDequeue(out _);
            }

            return new Done();
        });
    }
}
