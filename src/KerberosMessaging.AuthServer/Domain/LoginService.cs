using System.Text;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Protocol;
using KerberosMessaging.Tickets;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>The AS exchange: OPAQUE (RFC 9807, section 6), then a device, a session row and a ticket-granting ticket.</summary>
internal sealed class LoginService(
    AuthReader reader,
    AuthWriter writer,
    RealmKeys keys,
    LoginGuard guard,
    DeviceService devices,
    TicketService tickets,
    IOptions<AuthOptions> options)
{
    private static readonly TimeSpan LastSeenPrecision = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Starts a login. A name that does not exist is answered from a fake record with the realm's default stretching, in
    /// the same form and by the same work. The login is null when KE1 itself is not a group element, and when this address
    /// has failed too often: then the wait is not null.
    /// </summary>
    public (PendingLogin? Login, TimeSpan? Wait) Start(
        string name, ReadOnlySpan<byte> ke1, ReadOnlySpan<byte> channelBinding, Origin origin)
    {
        // A name that breaks the rules is a name that does not exist, not an error of its own.
        var isName = ClientName.TryParse(name, out var parsed);
        var credential = isName ? parsed.CredentialIdentifier : Encoding.UTF8.GetBytes(name);
        var client = reader.FindClient(isName ? parsed.Key : "");
        var attempt = guard.Begin(credential, client?.Id, origin, out var wait);
        if (attempt is null)
        {
            return (null, wait);
        }

        // A version can be gone only when the record was replaced in this very moment.
        if (keys.FindOpaque(client?.OpaqueKeyVersion ?? keys.OldestOpaqueVersion) is not { } opaque || !opaque.TryStartLogin(
            client is null ? opaque.FakeRecord : client.OpaqueRecord,
            ke1,
            credential,
            [],
            [],
            LoginProof.OpaqueContext(channelBinding),
            out var login))
        {
            attempt.Dispose();
            return (null, null);
        }

        return (new PendingLogin(client, client?.Stretching ?? options.Value.StretchingParameters, login, attempt), null);
    }

    /// <summary>Finishes a login: the password is proven by KE3, the device by its signature.</summary>
    public async Task<LoginResult> FinishAsync(
        PendingLogin login,
        DeviceProof proof,
        ReadOnlyMemory<byte> channelBinding,
        Origin origin,
        CancellationToken cancellationToken)
    {
        if (!login.TryProve(proof.Ke3, out var opaqueKey))
        {
            return LoginResult.Refused(ProtocolError.LoginFailed);
        }

        // From here on the password is proven, and the cause of a refusal may be told.
        var client = login.Client;
        if (proof.Device.IsZero
            || !LoginProof.IsSignedByDevice(proof.Signature, channelBinding.Span, proof.Ke3, proof.Device, proof.Identity))
        {
            return LoginResult.Refused(ProtocolError.DeviceRefused);
        }

        var opened = await writer.WriteAsync(
            scope => Open(scope, client, proof, origin.As(new ClientId(client.Id))), cancellationToken);
        if (opened is not { Session: { } session, Device: { } device })
        {
            return LoginResult.Refused(opened.Refusal!.Value);
        }

        var wantsNewRecord = client.OpaqueKeyVersion != keys.OpaqueVersion || client.Stretching != options.Value.StretchingParameters;
        return LoginResult.Of(
            tickets.Grant(session, opened.ClientName, device.Certificate, wantsNewRecord, opaqueKey), session, opened.ClientName);
    }

    private OpenedSession Open(WriteScope scope, LoginClient client, DeviceProof proof, Origin origin)
    {
        // What was read before the challenge may have changed since: the password, or that the client may log in at all.
        using (var row = scope.Query(
            """SELECT "Name", "OpaqueRecord", "DisabledAt", "LastSeenAt" FROM "Clients" WHERE "Id" = @0 AND "DeletedAt" IS NULL""", client.Id))
        {
            if (!row.Read() || !row.GetFieldValue<byte[]>(1).AsSpan().SequenceEqual(client.OpaqueRecord))
            {
                return new OpenedSession(ProtocolError.LoginFailed);
            }

            if (!row.IsDBNull(2))
            {
                scope.Audit(new AuditEvent(AuditKind.LoginFailed, origin, $"client {client.Id}", "disabled", AuditResult.Refused));
                return new OpenedSession(ProtocolError.ClientDisabled);
            }

            if (devices.FindOrAdd(scope, client.Id, row.GetString(0), proof, origin) is not { } device)
            {
                scope.Audit(new AuditEvent(AuditKind.LoginFailed, origin, $"client {client.Id}", "device refused", AuditResult.Refused));
                return new OpenedSession(ProtocolError.DeviceRefused);
            }

            var now = scope.Now;
            if (now - row.GetTime(3) >= LastSeenPrecision)
            {
                scope.Execute("""UPDATE "Clients" SET "LastSeenAt" = @0 WHERE "Id" = @1""", now, client.Id);
            }

            var session = new TicketSession(
                SessionId.New().Value,
                client.Id,
                proof.Device.Value,
                now,
                now,
                now + options.Value.TicketLife,
                now + options.Value.RenewableLife,
                RevokedAt: null);
            scope.Execute(
                """
                INSERT INTO "Sessions" ("Id", "ClientId", "DeviceId", "Address", "CreatedAt", "LastUsedAt", "ExpiresAt", "RenewableUntil")
                VALUES (@0, @1, @2, @3, @4, @4, @5, @6)
                """,
                session.Id, session.ClientId, session.DeviceId, origin.Address, now, session.ExpiresAt, session.RenewableUntil);
            scope.Audit(new AuditEvent(AuditKind.Login, origin, $"session {session.Id}", $"device {session.DeviceId}"));
            return new OpenedSession(null, session, device, row.GetString(0));
        }
    }

    private readonly record struct OpenedSession(
        ProtocolError? Refusal,
        TicketSession? Session = null,
        CertifiedDevice? Device = null,
        string ClientName = "");
}

/// <summary>What a device sends to finish a login.</summary>
internal sealed record DeviceProof(byte[] Ke3, DeviceId Device, string DeviceName, byte[] Identity, byte[] Signature);

/// <summary>A granted ticket with its sealed part.</summary>
internal sealed record Grant(byte[] Ticket, byte[] SealedPart);

/// <summary>How a login ended.</summary>
internal sealed record LoginResult(ProtocolError? Refusal, Grant? Grant, TicketSession? Session, string ClientName)
{
    public static LoginResult Refused(ProtocolError error) => new(error, null, null, "");

    public static LoginResult Of(Grant grant, TicketSession session, string clientName) => new(null, grant, session, clientName);
}
