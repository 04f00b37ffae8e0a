using KerberosMessaging.AuthServer.Domain.Transparency;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Protocol;
using KerberosMessaging.Tickets;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>A device that may log in, with its certificate.</summary>
internal sealed record CertifiedDevice(DeviceId Device, byte[] Certificate);

/// <summary>Why a link was not stored.</summary>
internal enum LinkRefusal
{
    UnknownDevice,
    WrongLink,
}

/// <summary>The devices of clients: added by their first login, listed, renamed, linked and removed by their client.</summary>
internal sealed class DeviceService(AuthDbContext database, AuthWriter writer, RealmKeys keys, RevocationLog revocations)
{
    private static readonly TimeSpan LastSeenPrecision = TimeSpan.FromMinutes(1);

    /// <summary>The client's active devices, oldest first.</summary>
    public async Task<IReadOnlyList<DeviceRow>> ListAsync(ClientId client, CancellationToken cancellationToken) => await database.Devices
        .AsNoTracking()
        .Where(row => row.ClientId == client.Value && row.RevokedAt == null)
        .OrderBy(static row => row.Serial)
        .ToListAsync(cancellationToken);

    /// <summary>Renames an active device; false where there is none of that id.</summary>
    public Task<bool> RenameAsync(ClientId client, DeviceId device, string name, Origin origin, CancellationToken cancellationToken) =>
        writer.WriteAsync(
            scope =>
            {
                if (FindActive(scope, client.Value, device.Value) is not { } row)
                {
                    return false;
                }

                row.Name = name;
                scope.Database.SaveChanges();
                scope.Audit(new AuditEvent(AuditKind.DeviceRenamed, origin, Target(row)));
                return true;
            },
            cancellationToken);

    /// <summary>
    /// Stores the link of an active device in place of an earlier one. Refused where there is no device of that id, or the link
    /// is not for this client, device and identity. Which account key signed is for the client's peers to judge.
    /// </summary>
    /// <returns>Null when it is stored.</returns>
    public Task<LinkRefusal?> LinkAsync(ClientId client, DeviceId device, byte[] link, Origin origin, CancellationToken cancellationToken) =>
        writer.WriteAsync<LinkRefusal?>(
            scope =>
            {
                if (FindActive(scope, client.Value, device.Value) is not { } row)
                {
                    return LinkRefusal.UnknownDevice;
                }

                if (!DeviceLink.TryVerify(link, client, device, row.Identity, out var accountKey))
                {
                    return LinkRefusal.WrongLink;
                }

                row.Link = link;
                scope.Database.SaveChanges();
                TransparencyLog.Append(scope, keys.Realm, TransparencyKind.Linked, row);
                scope.Audit(new AuditEvent(
                    AuditKind.DeviceLinked, origin, Target(row), $"account key {Convert.ToHexStringLower(accountKey)}"));
                return null;
            },
            cancellationToken);

    /// <summary>Removes an active device: its sessions end, and it never logs in again. False where there is none of that id.</summary>
    public Task<bool> RemoveAsync(ClientId client, DeviceId device, string reason, Origin origin, CancellationToken cancellationToken) =>
        writer.WriteAsync(
            scope =>
            {
                if (FindActive(scope, client.Value, device.Value) is not { } row)
                {
                    return false;
                }

                Remove(scope, row, reason, origin);
                return true;
            },
            cancellationToken);

    /// <summary>An admin removes a device; one that was removed before is done.</summary>
    public Task<AdminChange> RemoveAsync(
        Guid client, Guid device, Precondition ifMatch, string reason, Origin origin, CancellationToken cancellationToken) =>
        writer.WriteAsync(
            scope =>
            {
                if (scope.Database.Devices.SingleOrDefault(row => row.ClientId == client && row.DeviceId == device) is not { } row)
                {
                    return AdminChange.Unknown;
                }

                if (!ifMatch.Holds(row.Tag()))
                {
                    return AdminChange.Stale;
                }

                if (row.RevokedAt is null)
                {
                    Remove(scope, row, reason, origin);
                }

                return AdminChange.Done;
            },
            cancellationToken);

    /// <summary>Removes all active devices of a client.</summary>
    public void RemoveAll(WriteScope scope, Guid client, string reason, Origin origin)
    {
        foreach (var row in scope.Database.Devices.Where(row => row.ClientId == client && row.RevokedAt == null).ToList())
        {
            Remove(scope, row, reason, origin);
        }
    }

    /// <summary>
    /// The device of a login, added where it is new; null when it is removed, has other keys than before, or is one too many.
    /// </summary>
    public CertifiedDevice? FindOrAdd(WriteScope scope, Guid client, string clientName, DeviceProof proof, Origin origin)
    {
        using (var row = scope.Query(
            """SELECT "Serial", "Identity", "Certificate", "RevokedAt", "LastSeenAt" FROM "Devices" WHERE "ClientId" = @0 AND "DeviceId" = @1""",
            client,
            proof.Device.Value))
        {
            if (row.Read())
            {
                if (!row.IsDBNull(3) || !row.GetFieldValue<byte[]>(1).AsSpan().SequenceEqual(proof.Identity))
                {
                    return null;
                }

                if (scope.Now - row.GetTime(4) >= LastSeenPrecision)
                {
                    scope.Execute("""UPDATE "Devices" SET "LastSeenAt" = @0 WHERE "Serial" = @1""", scope.Now, row.GetInt64(0));
                }

                return new CertifiedDevice(proof.Device, row.GetFieldValue<byte[]>(2));
            }
        }

        return scope.Database.Devices.Count(row => row.ClientId == client && row.RevokedAt == null) < ProtocolLimits.DevicesPerClient
            ? Add(scope, client, clientName, proof, origin)
            : null;
    }

    private CertifiedDevice Add(WriteScope scope, Guid client, string clientName, DeviceProof proof, Origin origin)
    {
        var device = new DeviceRow
        {
            ClientId = client,
            DeviceId = proof.Device.Value,
            Name = proof.DeviceName,
            Identity = proof.Identity,
            Certificate = [],
            CreatedAt = scope.Now,
            LastSeenAt = scope.Now,
        };
        scope.Database.Devices.Add(device);

        // The database gives the serial, and the certificate needs it.
        scope.Database.SaveChanges();
        device.Certificate = new DeviceCertificate(
            new ClientId(client),
            clientName,
            proof.Device,
            proof.Identity[..Ed25519.PublicKeySize],
            proof.Identity[Ed25519.PublicKeySize..],
            (ulong)device.Serial,
            scope.Now).Sign(keys.Realm);
        scope.Database.SaveChanges();
        TransparencyLog.Append(scope, keys.Realm, TransparencyKind.Certified, device);
        scope.Audit(new AuditEvent(AuditKind.DeviceAdded, origin, Target(device), $"serial {device.Serial}"));
        return new CertifiedDevice(proof.Device, device.Certificate);
    }

    private void Remove(WriteScope scope, DeviceRow row, string reason, Origin origin)
    {
        row.RevokedAt = scope.Now;
        row.RevokedReason = reason;
        row.Link = [];
        scope.Database.SaveChanges();
        TransparencyLog.Append(scope, keys.Realm, TransparencyKind.Removed, row);
        revocations.RevokeDevice(scope, row.ClientId, row.DeviceId, reason);
        scope.Audit(new AuditEvent(AuditKind.DeviceRemoved, origin, Target(row), reason));
    }

    private static DeviceRow? FindActive(WriteScope scope, Guid client, Guid device) => scope.Database.Devices
        .SingleOrDefault(row => row.ClientId == client && row.DeviceId == device && row.RevokedAt == null);

    private static string Target(DeviceRow device) => $"device {device.DeviceId} of client {device.ClientId}";
}
