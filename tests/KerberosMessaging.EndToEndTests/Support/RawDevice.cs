using System.Security.Cryptography;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;
using KerberosMessaging.Transport;
using Microsoft.Extensions.DependencyInjection;

namespace KerberosMessaging.EndToEndTests.Support;

/// <summary>
/// A client's device without the SDK: its session stands in the auth server's database as if it had logged in, which spares
/// a hundred of them the price of the password. Everything after the login is real: tickets, channels, requests.
/// </summary>
internal sealed class RawDevice : IAsyncDisposable
{
    private static readonly TimeSpan TicketLife = TimeSpan.FromHours(10);

    private readonly Realm _realm;
    private readonly byte[] _ticket;
    private readonly SecretBytes _sessionKey;
    private readonly List<RequestConnection> _connections = [];
    private RequestConnection? _auth;

    private RawDevice(Realm realm, byte[] ticket, AsReplyPart part, DeviceId device)
    {
        (_realm, _ticket) = (realm, ticket);
        (Client, Device, Session) = (part.Client, device, part.Session);
        _sessionKey = part.SessionKey.Clone();
    }

    public ClientId Client { get; }

    public DeviceId Device { get; }

    public SessionId Session { get; }

    /// <summary>The one message server of a realm.</summary>
    public static AuthServer.Domain.MessageServer ServerOf(Realm realm) =>
        realm.AuthServices.GetRequiredService<MessageServers>().Active.Single();

    /// <summary>A message that a server takes; nobody can read it.</summary>
    public static SendMessageRequest MessageTo(RawDevice recipient)
    {
        byte[] envelope = [EnvelopeShape.Version, EnvelopeShape.RatchetKind, 0, 96, .. RandomNumberGenerator.GetBytes(96 + 16 + 32)];
        return new SendMessageRequest(MessageId.New(), recipient.Client, 0, DeliveryKind.Durable, [new DeviceEnvelope(recipient.Device, envelope)], []);
    }

    /// <summary>Makes clients with one device each, logged in at this moment.</summary>
    public static async Task<List<RawDevice>> LogInAsync(Realm realm, int count, CancellationToken cancellationToken)
    {
        var sessions = await realm.AuthServices.GetRequiredService<AuthWriter>().WriteAsync(
            scope => Enumerable.Range(0, count).Select(_ => Add(scope)).ToList(), cancellationToken);
        var tickets = realm.AuthServices.GetRequiredService<TicketService>();
        return sessions.ConvertAll(session =>
        {
            using var replyKey = SecretBytes.Random(64);
            var grant = tickets.Grant(session, NameOf(session.ClientId), [], wantsNewRecord: false, replyKey);
            using var part = AsReplyPart.TryOpen(grant.SealedPart, replyKey, grant.Ticket)!;
            return new RawDevice(realm, grant.Ticket, part, new DeviceId(session.DeviceId));
        });
    }

    /// <summary>TGS exchange, on a channel of its own with the auth server that stays open.</summary>
    /// <exception cref="RequestRefusedException">The auth server makes no such ticket.</exception>
    public async Task<RawTicket> RequestTicketAsync(ServerId server, CancellationToken cancellationToken)
    {
        if (_auth is null || _auth.Ended.IsCompleted)
        {
            _auth = await ConnectAsync(_realm.Pin.Port, cancellationToken);
            await new RawTicket(_ticket, _sessionKey.Clone()).PresentAsync(_auth, cancellationToken);
        }

        var authenticator = Authenticator.For(_auth.Channel.ChannelBinding.Span).Seal(_sessionKey, MessageCode.RequestServiceTicket);
        var reply = await _auth.RequestAsync<ServiceTicketReply>(new ServiceTicketRequest(_ticket, authenticator, server), cancellationToken);
        using var part = TgsReplyPart.TryOpen(reply.SealedPart, _sessionKey, reply.Ticket)!;
        return new RawTicket(reply.Ticket, part.SessionKey.Clone());
    }

    /// <summary>Waits until the auth server has ended its channel.</summary>
    public async Task AuthEndedAsync(CancellationToken cancellationToken) => await _auth!.Ended.WaitAsync(cancellationToken);

    /// <summary>A channel with the message server, without a ticket yet.</summary>
    public Task<RequestConnection> ConnectAsync(CancellationToken cancellationToken) => ConnectAsync(_realm.MessagePort, cancellationToken);

    /// <summary>A channel with the message server, opened with a ticket.</summary>
    public async Task<RequestConnection> ConnectAsync(RawTicket ticket, CancellationToken cancellationToken)
    {
        var connection = await ConnectAsync(cancellationToken);
        await ticket.PresentAsync(connection, cancellationToken);
        return connection;
    }

    /// <summary>Ends its session in one of the ways that an admin has.</summary>
    public async Task EndAsync(Ending ending, CancellationToken cancellationToken)
    {
        await using var scope = _realm.AuthServices.CreateAsyncScope();
        var clients = scope.ServiceProvider.GetRequiredService<ClientAdministration>();
        var client = Client.Value;
        switch (ending)
        {
            case Ending.Session:
                Assert.Equal(AdminChange.Done, await scope.ServiceProvider.GetRequiredService<SessionAdministration>()
                    .RevokeAsync(Session.Value, Precondition.None, Origin.System, cancellationToken));
                break;
            case Ending.AllSessions:
                Assert.Equal((AdminChange.Done, 1), await clients.RevokeSessionsAsync(client, Precondition.None, Origin.System, cancellationToken));
                break;
            case Ending.Device:
                var devices = scope.ServiceProvider.GetRequiredService<DeviceService>();
                Assert.True(await devices.RemoveAsync(Client, Device, "removed", Origin.System, cancellationToken));
                break;
            case Ending.Disabled:
                Assert.Equal(AdminChange.Done, await clients.DisableAsync(client, Precondition.None, Origin.System, cancellationToken));
                break;
            case Ending.Deleted:
                Assert.Equal(AdminChange.Done, await clients.DeleteAsync(client, Precondition.None, Origin.System, cancellationToken));
                break;
            default:
                Assert.NotNull((await clients.MakeResetTokenAsync(client, Precondition.None, Origin.System, cancellationToken)).Token);
                break;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections)
        {
            await connection.DisposeAsync();
        }

        _sessionKey.Dispose();
    }

    private static string NameOf(Guid client) => $"client-{client:N}";

    private static TicketSession Add(WriteScope scope)
    {
        var client = ClientId.New().Value;
        scope.Database.Clients.Add(new ClientRow
        {
            Id = client,
            Name = NameOf(client),
            NameKey = NameOf(client),
            OpaqueRecord = [],
            OpaqueKeyVersion = 1,
            CreatedAt = scope.Now,
        });
        var device = DeviceId.New().Value;
        scope.Database.Devices.Add(new DeviceRow
        {
            ClientId = client,
            DeviceId = device,
            Name = "raw",
            Identity = [],
            Certificate = [],
            CreatedAt = scope.Now,
            LastSeenAt = scope.Now,
        });
        var session = new SessionRow
        {
            Id = SessionId.New().Value,
            ClientId = client,
            DeviceId = device,
            Address = "127.0.0.1",
            CreatedAt = scope.Now,
            LastUsedAt = scope.Now,
            ExpiresAt = scope.Now + TicketLife,
            RenewableUntil = scope.Now + TicketLife,
        };
        scope.Database.Sessions.Add(session);
        scope.Database.SaveChanges();
        return new TicketSession(
            session.Id, client, device, scope.Now, scope.Now, session.ExpiresAt, session.RenewableUntil, RevokedAt: null);
    }

    private async Task<RequestConnection> ConnectAsync(int port, CancellationToken cancellationToken)
    {
        var connection = await RequestConnection.ConnectAsync(
            "127.0.0.1", port, static _ => true, new ChannelOptions(), onPush: null, cancellationToken);
        _connections.Add(connection);
        return connection;
    }
}
