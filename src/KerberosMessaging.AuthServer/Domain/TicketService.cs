using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Tickets;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>Grants, verifies and renews ticket-granting tickets, and makes service tickets from them.</summary>
internal sealed class TicketService(
    AuthDbContext database,
    RealmKeys keys,
    IOptions<AuthOptions> options,
    TimeProvider time)
{
    // Writing it at each use would make every ticket a disk write.
    private static readonly TimeSpan LastUsedPrecision = TimeSpan.FromMinutes(1);

    /// <summary>Makes a ticket-granting ticket on a session row, its client's part sealed under <paramref name="replyKey"/>.</summary>
    public Grant Grant(ClientRow client, SessionRow session, byte[] certificate, DateTimeOffset now, SecretBytes replyKey)
    {
        using var body = new TicketBody
        {
            Session = new SessionId(session.Id),
            Client = new ClientId(client.Id),
            ClientName = client.Name,
            Device = new DeviceId(session.DeviceId),
            SessionKey = SessionKey.New(),
            Times = new TicketTimes(session.CreatedAt, now, session.ExpiresAt, session.RenewableUntil),
        };
        var ticket = TicketGrantingTicket.Seal(body, keys.TicketKey.Span, keys.TicketKeyVersion);
        using var part = new AsReplyPart
        {
            SessionKey = body.SessionKey.Clone(),
            Session = body.Session,
            Client = body.Client,
            ClientName = body.ClientName,
            ServerTime = now,
            Times = body.Times,
            Certificate = certificate,
        };
        return new Grant(ticket, part.Seal(replyKey, ticket));
    }

    /// <summary>
    /// Opens a ticket-granting ticket and its authenticator, and finds the living session row behind it. A ticket without
    /// its row opens nothing, so a stolen ticket key alone forges no ticket. Null for every cause of refusal.
    /// </summary>
    public async Task<VerifiedTicket?> VerifyAsync(
        byte[] ticket,
        byte[] authenticator,
        MessageCode request,
        ReadOnlyMemory<byte> channelBinding,
        CancellationToken cancellationToken)
    {
        if (!TicketGrantingTicket.TryReadKeyVersion(ticket, out var version)
            || keys.FindTicketKey(version) is not { } key
            || TicketGrantingTicket.TryOpen(ticket, key.Span) is not { } body)
        {
            return null;
        }

        var now = time.GetUtcNow();
        if (body.Times.Judge(now) != TicketValidity.Valid
            || Authenticator.TryOpen(authenticator, body.SessionKey, request, channelBinding.Span) is not { } opened
            || await FindLivingSessionAsync(body, now, cancellationToken) is not { } session)
        {
            body.Dispose();
            return null;
        }

        return new VerifiedTicket(body, opened, session);
    }

    /// <summary>TGS exchange: a service ticket for one message server, ending no later than the session.</summary>
    public Grant GrantService(VerifiedTicket verified, MessageServer server)
    {
        var now = Now();
        var endsAt = now + options.Value.ServiceTicketLife;
        if (endsAt > verified.Body.Times.EndsAt)
        {
            endsAt = verified.Body.Times.EndsAt;
        }

        using var body = new TicketBody
        {
            Session = verified.Body.Session,
            Client = verified.Body.Client,
            ClientName = verified.Body.ClientName,
            Device = verified.Body.Device,
            SessionKey = SessionKey.New(),
            Times = new TicketTimes(verified.Body.Times.AuthenticatedAt, now, endsAt, endsAt),
        };
        var ticket = ServiceTicket.Seal(body, server.Id, server.ServiceKey.Span, server.KeyVersion, keys.Signing, RealmKeys.TicketSigningVersion);
        using var part = new TgsReplyPart
        {
            SessionKey = body.SessionKey.Clone(),
            Server = server.Id,
            ServerTime = now,
            Times = body.Times,
        };
        return new Grant(ticket, part.Seal(verified.Body.SessionKey, ticket));
    }

    /// <summary>Renews a ticket within its renewable life; null when that is over.</summary>
    public async Task<Grant?> RenewAsync(VerifiedTicket verified, CancellationToken cancellationToken)
    {
        var now = Now();
        var session = verified.Session;
        if (now >= session.RenewableUntil)
        {
            return null;
        }

        var client = await database.Clients.AsNoTracking().SingleAsync(row => row.Id == session.ClientId, cancellationToken);
        var certificate = await database.Devices
            .Where(row => row.ClientId == session.ClientId && row.DeviceId == session.DeviceId)
            .Select(static row => row.Certificate)
            .SingleAsync(cancellationToken);
        var expiresAt = now + options.Value.TicketLife;
        session.ExpiresAt = expiresAt < session.RenewableUntil ? expiresAt : session.RenewableUntil;
        session.LastUsedAt = now;
        await database.SaveChangesAsync(cancellationToken);
        return Grant(client, session, certificate, now, verified.Body.SessionKey);
    }

    /// <summary>Revokes one session, or all living sessions of its client.</summary>
    public async Task RevokeAsync(SessionId session, ClientId client, bool everywhere, string reason, CancellationToken cancellationToken)
    {
        var now = Now();
        await database.Sessions
            .Where(row => row.ClientId == client.Value && row.RevokedAt == null && (everywhere || row.Id == session.Value))
            .ExecuteUpdateAsync(
                set => set.SetProperty(static row => row.RevokedAt, now).SetProperty(static row => row.RevokedReason, reason),
                cancellationToken);
    }

    private async Task<SessionRow?> FindLivingSessionAsync(TicketBody body, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var session = await database.Sessions.SingleOrDefaultAsync(
            row => row.Id == body.Session.Value && row.ClientId == body.Client.Value && row.DeviceId == body.Device.Value,
            cancellationToken);
        if (session is null || session.RevokedAt is not null || session.ExpiresAt <= now)
        {
            return null;
        }

        if (now - session.LastUsedAt >= LastUsedPrecision)
        {
            session.LastUsedAt = now;
            await database.SaveChangesAsync(cancellationToken);
        }

        return session;
    }

    private DateTimeOffset Now() => DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());
}

/// <summary>A ticket-granting ticket that was opened, with its authenticator and its living session row.</summary>
internal sealed record VerifiedTicket(TicketBody Body, Authenticator Authenticator, SessionRow Session) : IDisposable
{
    public void Dispose() => Body.Dispose();
}
