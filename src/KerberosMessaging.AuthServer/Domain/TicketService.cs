using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Protocol;
using KerberosMessaging.Tickets;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>Grants, verifies and renews ticket-granting tickets, and makes service tickets from them.</summary>
internal sealed class TicketService(
    AuthReader reader,
    AuthWriter writer,
    RealmKeys keys,
    RevocationLog revocations,
    IOptions<AuthOptions> options,
    TimeProvider time)
{
    // Writing it at each use would make every ticket a disk write.
    private static readonly TimeSpan LastUsedPrecision = TimeSpan.FromMinutes(1);

    /// <summary>Makes a ticket-granting ticket on a session, its client's part sealed under <paramref name="replyKey"/>.</summary>
    public Grant Grant(
        TicketSession session,
        string clientName,
        byte[] certificate,
        bool wantsNewRecord,
        SecretBytes replyKey)
    {
        var now = Now();
        using var body = new TicketBody
        {
            Session = new SessionId(session.Id),
            Client = new ClientId(session.ClientId),
            ClientName = clientName,
            Device = new DeviceId(session.DeviceId),
            SessionKey = SessionKey.New(),
            Times = new TicketTimes(session.CreatedAt, now, session.ExpiresAt, session.RenewableUntil),
        };
        var (version, key) = keys.TicketKey;
        var ticket = TicketGrantingTicket.Seal(body, key.Span, version);
        using var part = new AsReplyPart
        {
            SessionKey = body.SessionKey.Clone(),
            Session = body.Session,
            Client = body.Client,
            ClientName = body.ClientName,
            ServerTime = now,
            Times = body.Times,
            Certificate = certificate,
            WantsNewRecord = wantsNewRecord,
        };
        return new Grant(ticket, part.Seal(replyKey, ticket));
    }

    /// <summary>
    /// Opens a ticket-granting ticket and its authenticator, and finds the living session row behind it. A ticket without
    /// its row opens nothing, so a stolen ticket key alone forges no ticket. Null for every cause of refusal.
    /// </summary>
    public VerifiedTicket? Verify(
        ReadOnlySpan<byte> ticket,
        ReadOnlySpan<byte> authenticator,
        MessageCode request,
        ReadOnlySpan<byte> channelBinding)
    {
        if (!TicketGrantingTicket.TryReadKeyVersion(ticket, out var version)
            || keys.FindTicketKey(version) is not { } key
            || TicketGrantingTicket.TryOpen(ticket, key.Span) is not { } body)
        {
            return null;
        }

        var now = time.GetUtcNow();
        if (body.Times.Judge(now) != TicketValidity.Valid
            || Authenticator.TryOpen(authenticator, body.SessionKey, request, channelBinding) is not { } opened
            || FindLiving(body, now) is not { } session)
        {
            body.Dispose();
            return null;
        }

        if (now - session.LastUsedAt >= LastUsedPrecision)
        {
            writer.Post(scope => scope.Execute("""UPDATE "Sessions" SET "LastUsedAt" = @0 WHERE "Id" = @1""", scope.Now, session.Id));
        }

        return new VerifiedTicket(body, opened, session);
    }

    /// <summary>
    /// Whether a session lives. Asked again right after a connection was signed in: what was revoked in between was not
    /// yet to be found among the connections.
    /// </summary>
    public bool IsLiving(SessionId session) =>
        reader.FindSession(session.Value) is { RevokedAt: null } found && found.ExpiresAt > time.GetUtcNow();

    /// <summary>
    /// TGS exchange: a service ticket for one message server, ending no later than the session. Null while the server, away
    /// for long, knows no key that is still used.
    /// </summary>
    public Grant? GrantService(VerifiedTicket verified, MessageServer server)
    {
        if (!keys.TicketSigning.TryGetValue(server.TicketSigningVersion, out var signingKey))
        {
            return null;
        }

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
        var key = server.SealingKey;
        var ticket = ServiceTicket.Seal(
            body, server.Id, key.Secret.Span, key.Version, signingKey, server.TicketSigningVersion);
        using var part = new TgsReplyPart
        {
            SessionKey = body.SessionKey.Clone(),
            Server = server.Id,
            ServerTime = now,
            Times = body.Times,
        };
        return new Grant(ticket, part.Seal(verified.Body.SessionKey, ticket));
    }

    /// <summary>Renews a ticket within its renewable life; null when that is over, or the session ended meanwhile.</summary>
    public async Task<Grant?> RenewAsync(VerifiedTicket verified, Origin origin, CancellationToken cancellationToken)
    {
        var session = verified.Session.Id;
        var renewed = await writer.WriteAsync(scope => Renew(scope, session, origin), cancellationToken);
        return renewed is { } found
            ? Grant(found.Session, verified.Body.ClientName, found.Certificate, wantsNewRecord: false, verified.Body.SessionKey)
            : null;
    }

    /// <summary>Ends a client's session, or all of them.</summary>
    public Task LogOutAsync(SessionId session, ClientId client, bool everywhere, Origin origin, CancellationToken cancellationToken) =>
        writer.WriteAsync(
            scope =>
            {
                if (everywhere)
                {
                    var count = revocations.RevokeClient(scope, client.Value, "logout everywhere");
                    scope.Audit(new AuditEvent(AuditKind.Logout, origin, $"client {client.Value}", $"everywhere, {count} sessions"));
                }
                else if (revocations.RevokeSession(scope, client.Value, session.Value, "logout"))
                {
                    scope.Audit(new AuditEvent(AuditKind.Logout, origin, $"session {session.Value}"));
                }
            },
            cancellationToken);

    private (TicketSession Session, byte[] Certificate)? Renew(WriteScope scope, Guid session, Origin origin)
    {
        var now = scope.Now;
        TicketSession renewed;
        byte[] certificate;
        using (var row = scope.Query(
            """
            SELECT s."ClientId", s."DeviceId", s."CreatedAt", s."RenewableUntil", d."Certificate"
            FROM "Sessions" s
            JOIN "Devices" d ON d."ClientId" = s."ClientId" AND d."DeviceId" = s."DeviceId"
            WHERE s."Id" = @0 AND s."RevokedAt" IS NULL AND s."ExpiresAt" > @1 AND s."RenewableUntil" > @1
            """,
            session,
            now))
        {
            if (!row.Read())
            {
                return null;
            }

            var renewableUntil = row.GetTime(3);
            var expiresAt = now + options.Value.TicketLife;
            renewed = new TicketSession(
                session,
                row.GetId(0),
                row.GetId(1),
                row.GetTime(2),
                now,
                expiresAt < renewableUntil ? expiresAt : renewableUntil,
                renewableUntil,
                RevokedAt: null);
            certificate = row.GetFieldValue<byte[]>(4);
        }

        scope.Execute(
            """UPDATE "Sessions" SET "ExpiresAt" = @0, "LastUsedAt" = @1 WHERE "Id" = @2""", renewed.ExpiresAt, now, session);
        scope.Execute(
            """UPDATE "Devices" SET "LastSeenAt" = @0 WHERE "ClientId" = @1 AND "DeviceId" = @2""", now, renewed.ClientId, renewed.DeviceId);
        scope.Execute("""UPDATE "Clients" SET "LastSeenAt" = @0 WHERE "Id" = @1""", now, renewed.ClientId);
        scope.Audit(new AuditEvent(AuditKind.TicketRenewed, origin, $"session {session}"));
        return (renewed, certificate);
    }

    private TicketSession? FindLiving(TicketBody body, DateTimeOffset now) =>
        reader.FindSession(body.Session.Value) is { RevokedAt: null } session
        && session.ClientId == body.Client.Value
        && session.DeviceId == body.Device.Value
        && session.ExpiresAt > now
            ? session
            : null;

    private DateTimeOffset Now() => DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());
}

/// <summary>A ticket-granting ticket that was opened, with its authenticator and its living session.</summary>
internal sealed record VerifiedTicket(TicketBody Body, Authenticator Authenticator, TicketSession Session) : IDisposable
{
    public void Dispose() => Body.Dispose();
}
