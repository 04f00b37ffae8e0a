using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Audit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>
/// Puts new versions of keys in the place of old ones, on command and by age, and removes old ones once nothing under them
/// can be valid.
/// <list type="bullet">
/// <item>Ticket keys: a new version is used at once; an old one is needed until the last ticket under it has ended.</item>
/// <item>Ticket-signing keys: a server's tickets are signed with a new version once that server has it stored.</item>
/// <item>OPAQUE keys: new records are made with the new version, and clients are asked for one at their next login; an old one
/// is needed as long as one client has a record made with it. They do not age: rotated on command alone.</item>
/// </list>
/// </summary>
internal sealed class KeyRotation(
    AuthWriter writer,
    RealmKeys keys,
    MessageServers servers,
    IOptions<AuthOptions> auth,
    IOptions<KeyOptions> options)
{
    // As many as a message server can be told of, less one for the next.
    private const int MostSigningVersions = Protocol.ProtocolLimits.KeyVersions - 1;

    /// <summary>Rotates a key of the realm; the new version, or null while too many old ones are still needed.</summary>
    public Task<uint?> RotateAsync(RealmKeyPurpose purpose, Origin origin, CancellationToken cancellationToken) =>
        writer.WriteAsync(scope => Rotate(scope, purpose, origin), cancellationToken);

    /// <summary>An admin rotates a key; the version is null while too many old ones are still needed.</summary>
    public Task<(AdminChange Change, uint? Version)> RotateAsync(
        RealmKeyPurpose purpose, Precondition ifMatch, Origin origin, CancellationToken cancellationToken) => writer.WriteAsync(
        scope =>
        {
            var newest = scope.Database.RealmKeys.Where(row => row.Purpose == purpose).Max(static row => row.Version);
            return ifMatch.Holds(EntityTags.Of(purpose, newest))
                ? (AdminChange.Done, Rotate(scope, purpose, origin))
                : (AdminChange.Stale, (uint?)null);
        },
        cancellationToken);

    /// <summary>Rotates what is old enough, and removes what nothing needs.</summary>
    public async Task MaintainAsync(CancellationToken cancellationToken)
    {
        await writer.WriteAsync(
            scope =>
            {
                RotateIfOld(scope, RealmKeyPurpose.Ticket, options.Value.TicketKeyLife);
                RotateIfOld(scope, RealmKeyPurpose.TicketSigning, options.Value.TicketSigningKeyLife);
                FindUnneeded(scope);
                RemoveEnded(scope);
            },
            cancellationToken);
        var old = await writer.WriteAsync(
            scope => MessageServers.FindKeysOlderThan(scope.Database, scope.Now - options.Value.ServiceKeyLife), cancellationToken);
        foreach (var server in old)
        {
            await servers.RotateAsync(new Protocol.ServerId(server), Precondition.None, Origin.System, cancellationToken);
        }

        await servers.SweepKeysAsync(cancellationToken);
    }

    private uint? Rotate(WriteScope scope, RealmKeyPurpose purpose, Origin origin)
    {
        if (purpose is not (RealmKeyPurpose.Ticket or RealmKeyPurpose.TicketSigning or RealmKeyPurpose.OprfSeed))
        {
            throw new ArgumentOutOfRangeException(nameof(purpose), purpose, "This key has no versions.");
        }

        var now = scope.Now;
        var versions = scope.Database.RealmKeys.Where(row => row.Purpose == purpose).Select(static row => row.Version).ToList();
        if (versions.Count >= MostSigningVersions)
        {
            return null;
        }

        var made = keys.Make(purpose, versions.Max() + 1, now);
        if (purpose == RealmKeyPurpose.Ticket)
        {
            // No ticket under the old version starts after this moment.
            var neededUntil = now + auth.Value.TicketLife;
            scope.Database.RealmKeys
                .Where(row => row.Purpose == purpose && row.NeededUntil == null)
                .ExecuteUpdate(set => set.SetProperty(static row => row.NeededUntil, neededUntil));
        }

        scope.Database.RealmKeys.AddRange(made);
        scope.Database.SaveChanges();
        scope.Audit(new AuditEvent(AuditKind.KeyRotated, origin, $"{Name(purpose)} key", $"version {made[0].Version}"));
        scope.AfterCommit(() =>
        {
            keys.Add(made);
            servers.RaiseChanged();
        });
        return made[0].Version;
    }

    private void RotateIfOld(WriteScope scope, RealmKeyPurpose purpose, TimeSpan life)
    {
        var newest = scope.Database.RealmKeys.AsNoTracking().Where(row => row.Purpose == purpose).OrderByDescending(static row => row.Version).First();
        if (newest.CreatedAt + life <= scope.Now)
        {
            Rotate(scope, purpose, Origin.System);
        }
    }

    // What depends on others: whether every server has a newer one, whether any client still has a record.
    private void FindUnneeded(WriteScope scope)
    {
        var confirmed = scope.Database.MessageServers
            .Where(static row => row.DisabledAt == null)
            .Min(static row => (uint?)row.TicketSigningVersion) ?? keys.TicketSigningVersion;
        foreach (var row in scope.Database.RealmKeys
            .Where(row => row.Purpose == RealmKeyPurpose.TicketSigning && row.Version < confirmed && row.NeededUntil == null)
            .ToList())
        {
            row.NeededUntil = scope.Now + auth.Value.ServiceTicketLife;
        }

        var newest = keys.OpaqueVersion;
        foreach (var row in scope.Database.RealmKeys
            .Where(row => (row.Purpose == RealmKeyPurpose.OprfSeed || row.Purpose == RealmKeyPurpose.OpaquePrivateKey) && row.Version < newest)
            .ToList())
        {
            if (!scope.Database.Clients.Any(client => client.OpaqueKeyVersion == row.Version && client.DeletedAt == null))
            {
                row.NeededUntil = scope.Now;
            }
        }

        scope.Database.SaveChanges();
    }

    private void RemoveEnded(WriteScope scope)
    {
        var now = scope.Now;
        var ended = scope.Database.RealmKeys.Where(row => row.NeededUntil <= now).ToList();
        scope.Database.RealmKeys.RemoveRange(ended);
        scope.Database.SaveChanges();
        foreach (var row in ended)
        {
            scope.Audit(new AuditEvent(AuditKind.KeyRemoved, Origin.System, $"{Name(row.Purpose)} key", $"version {row.Version}"));
        }

        scope.AfterCommit(() => ended.ForEach(row => keys.Remove(row.Purpose, row.Version)));
    }

    private static string Name(RealmKeyPurpose purpose) => purpose switch
    {
        RealmKeyPurpose.Ticket => "ticket",
        RealmKeyPurpose.TicketSigning => "ticket-signing",
        RealmKeyPurpose.OprfSeed => "OPAQUE",
        RealmKeyPurpose.OpaquePrivateKey => "OPAQUE private",
        _ => throw new ArgumentOutOfRangeException(nameof(purpose), purpose, "This key has no versions."),
    };
}
