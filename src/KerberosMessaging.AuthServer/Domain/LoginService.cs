using System.Text;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Tickets;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>A login between its two steps. Client is null for a name that does not exist: such a login cannot succeed.</summary>
internal sealed record PendingLogin(Guid? Client, OpaqueServerLogin Opaque) : IDisposable
{
    public void Dispose() => Opaque.Dispose();
}

/// <summary>The AS exchange: OPAQUE (RFC 9807, section 6), then a device, a session row and a ticket-granting ticket.</summary>
internal sealed class LoginService(
    AuthDbContext database,
    RealmKeys keys,
    TicketService tickets,
    IOptions<AuthOptions> options,
    TimeProvider time)
{
    /// <summary>
    /// Starts a login. A name that does not exist is answered from a fake record with the realm's default stretching, in
    /// the same form and by the same work; null only when KE1 itself is not a group element.
    /// </summary>
    public async Task<(PendingLogin Login, StretchingParameters Stretching)?> StartAsync(
        string name,
        byte[] ke1,
        ReadOnlyMemory<byte> channelBinding,
        CancellationToken cancellationToken)
    {
        // A name that breaks the rules is a name that does not exist, not an error of its own.
        var isName = ClientName.TryParse(name, out var parsed);
        var credential = isName ? parsed.CredentialIdentifier : Encoding.UTF8.GetBytes(name);
        var key = isName ? parsed.Key : "";
        var client = await database.Clients.AsNoTracking().SingleOrDefaultAsync(row => row.NameKey == key, cancellationToken);
        if (!keys.Opaque.TryStartLogin(
            client is null ? keys.Opaque.FakeRecord : client.OpaqueRecord,
            ke1,
            credential,
            [],
            [],
            LoginProof.OpaqueContext(channelBinding.Span),
            out var login))
        {
            return null;
        }

        return (new PendingLogin(client?.Id, login), client is null
            ? options.Value.StretchingParameters
            : new StretchingParameters(client.StretchingAlgorithm, client.StretchingIterations, client.StretchingMemoryKiB));
    }

    /// <summary>Finishes a login: the password is proven by KE3, the device by its signature.</summary>
    public async Task<LoginResult> FinishAsync(
        PendingLogin login,
        DeviceProof proof,
        ReadOnlyMemory<byte> channelBinding,
        string address,
        CancellationToken cancellationToken)
    {
        if (!login.Opaque.TryFinish(proof.Ke3, out var opaqueKey))
        {
            return LoginResult.Refused(ProtocolError.LoginFailed);
        }

        using (opaqueKey)
        {
            if (login.Client is not { } clientId
                || await database.Clients.SingleOrDefaultAsync(row => row.Id == clientId, cancellationToken) is not { } client)
            {
                return LoginResult.Refused(ProtocolError.LoginFailed);
            }

            if (proof.Device.IsZero
                || !LoginProof.IsSignedByDevice(proof.Signature, channelBinding.Span, proof.Ke3, proof.Device, proof.Identity))
            {
                return LoginResult.Refused(ProtocolError.DeviceRefused);
            }

            await using var transaction = await database.Database.BeginTransactionAsync(cancellationToken);
            var now = Now();
            if (await FindOrAddDeviceAsync(client, proof, now, cancellationToken) is not { } device)
            {
                return LoginResult.Refused(ProtocolError.DeviceRefused);
            }

            var session = new SessionRow
            {
                Id = SessionId.New().Value,
                ClientId = client.Id,
                DeviceId = device.DeviceId,
                Address = address,
                CreatedAt = now,
                LastUsedAt = now,
                ExpiresAt = now + options.Value.TicketLife,
                RenewableUntil = now + options.Value.RenewableLife,
            };
            database.Sessions.Add(session);
            await database.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return LoginResult.Of(tickets.Grant(client, session, device.Certificate, now, opaqueKey), client, session);
        }
    }

    private async Task<DeviceRow?> FindOrAddDeviceAsync(
        ClientRow client,
        DeviceProof proof,
        DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        var known = await database.Devices.Where(row => row.ClientId == client.Id).ToListAsync(cancellationToken);
        if (known.Find(row => row.DeviceId == proof.Device.Value) is { } existing)
        {
            return existing.RevokedAt is null && existing.Identity.AsSpan().SequenceEqual(proof.Identity) ? existing : null;
        }

        if (known.Count(static row => row.RevokedAt is null) >= ProtocolLimits.DevicesPerClient)
        {
            return null;
        }

        var device = new DeviceRow
        {
            ClientId = client.Id,
            DeviceId = proof.Device.Value,
            Name = proof.DeviceName,
            Identity = proof.Identity,
            Certificate = [],
            CreatedAt = now,
        };
        database.Devices.Add(device);

        // The database gives the serial, and the certificate needs it: two writes in the caller's transaction.
        await database.SaveChangesAsync(cancellationToken);
        device.Certificate = new DeviceCertificate(
            new ClientId(client.Id),
            client.Name,
            proof.Device,
            proof.Identity[..Ed25519.PublicKeySize],
            proof.Identity[Ed25519.PublicKeySize..],
            (ulong)device.Serial,
            now).Sign(keys.Signing);
        return device;
    }

    // To the millisecond, as it is stored and sent.
    private DateTimeOffset Now() => DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());
}

/// <summary>What a device sends to finish a login.</summary>
internal sealed record DeviceProof(byte[] Ke3, DeviceId Device, string DeviceName, byte[] Identity, byte[] Signature);

/// <summary>A granted ticket with its sealed part.</summary>
internal sealed record Grant(byte[] Ticket, byte[] SealedPart);

/// <summary>How a login ended.</summary>
internal sealed record LoginResult(ProtocolError? Refusal, Grant? Grant, ClientRow? Client, SessionRow? Session)
{
    public static LoginResult Refused(ProtocolError error) => new(error, null, null, null);

    public static LoginResult Of(Grant grant, ClientRow client, SessionRow session) => new(null, grant, client, session);
}
