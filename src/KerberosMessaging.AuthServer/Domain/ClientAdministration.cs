using System.Security.Cryptography;
using System.Text;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Audit;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>What admins do to clients and their sessions: each change only while its precondition holds, in the same transaction.</summary>
internal sealed class ClientAdministration(AuthWriter writer, RevocationLog revocations, DeviceService devices, LoginGuard guard, IOptions<AuthOptions> options)
{
    /// <summary>What a deleted client's name is remembered by: nobody may take it over, and nobody needs to read it any more.</summary>
    public static string DeletedKey(string name) =>
        $"deleted:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)))}";

    /// <summary>Lets a client log in no more, and ends its sessions.</summary>
    public Task<AdminChange> DisableAsync(Guid client, Precondition ifMatch, Origin origin, CancellationToken cancellationToken) => ChangeAsync(
        client,
        ifMatch,
        (scope, row) =>
        {
            if (row.DisabledAt is null)
            {
                row.DisabledAt = scope.Now;
                scope.Database.SaveChanges();
                var ended = revocations.RevokeClient(scope, client, "client disabled");
                scope.Audit(new AuditEvent(AuditKind.ClientDisabled, origin, $"client {client}", $"{ended} sessions ended"));
            }
        },
        cancellationToken);

    /// <summary>Lets a disabled client log in again.</summary>
    public Task<AdminChange> EnableAsync(Guid client, Precondition ifMatch, Origin origin, CancellationToken cancellationToken) => ChangeAsync(
        client,
        ifMatch,
        (scope, row) =>
        {
            if (row.DisabledAt is not null)
            {
                row.DisabledAt = null;
                scope.Database.SaveChanges();
                scope.Audit(new AuditEvent(AuditKind.ClientEnabled, origin, $"client {client}"));
            }
        },
        cancellationToken);

    /// <summary>Deletes a client for good: sessions and devices end, its record and name go, and the name stays reserved.</summary>
    public Task<AdminChange> DeleteAsync(Guid client, Precondition ifMatch, Origin origin, CancellationToken cancellationToken) => writer.WriteAsync(
        scope =>
        {
            var change = Find(scope, client, ifMatch, out var row);
            if (change == AdminChange.Done && row!.DeletedAt is null)
            {
                Delete(scope, row, origin);
            }

            return change;
        },
        cancellationToken);

    /// <summary>Makes a token with which the client sets a new password. Its sessions end at once, its devices when the token is used.</summary>
    public Task<(AdminChange Change, NewToken? Token)> MakeResetTokenAsync(
        Guid client, Precondition ifMatch, Origin origin, CancellationToken cancellationToken) => writer.WriteAsync<(AdminChange, NewToken?)>(
        scope =>
        {
            var change = FindActive(scope, client, ifMatch, out _);
            if (change != AdminChange.Done)
            {
                return (change, null);
            }

            revocations.RevokeClient(scope, client, "password reset by an admin");
            return (change, OneTimeTokens.MakeReset(scope, client, options.Value.ResetTokenLife, origin));
        },
        cancellationToken);

    /// <summary>Revokes all sessions of a client; tells how many.</summary>
    public Task<(AdminChange Change, int Ended)> RevokeSessionsAsync(
        Guid client, Precondition ifMatch, Origin origin, CancellationToken cancellationToken) => writer.WriteAsync(
        scope =>
        {
            var change = FindActive(scope, client, ifMatch, out _);
            if (change != AdminChange.Done)
            {
                return (change, 0);
            }

            var ended = revocations.RevokeClient(scope, client, "revoked by an admin");
            scope.Audit(new AuditEvent(AuditKind.SessionRevoked, origin, $"client {client}", $"{ended} sessions"));
            return (change, ended);
        },
        cancellationToken);

    private Task<AdminChange> ChangeAsync(
        Guid client, Precondition ifMatch, Action<WriteScope, ClientRow> change, CancellationToken cancellationToken) => writer.WriteAsync(
        scope =>
        {
            var found = FindActive(scope, client, ifMatch, out var row);
            if (found == AdminChange.Done)
            {
                change(scope, row!);
            }

            return found;
        },
        cancellationToken);

    private void Delete(WriteScope scope, ClientRow row, Origin origin)
    {
        devices.RemoveAll(scope, row.Id, "client deleted", origin);
        revocations.RevokeClient(scope, row.Id, "client deleted");
        guard.Clear(scope, row.Id);
        row.NameKey = DeletedKey(row.NameKey);
        row.Name = "";
        row.NameSkeleton = row.NameSkeleton is { } skeleton ? DeletedKey(skeleton) : null;
        row.OpaqueRecord = [];
        row.PreviousKeys = [];
        row.DeletedAt = scope.Now;
        scope.Database.SaveChanges();
        scope.Audit(new AuditEvent(AuditKind.ClientDeleted, origin, $"client {row.Id}"));
    }

    private static AdminChange Find(WriteScope scope, Guid client, Precondition ifMatch, out ClientRow? row)
    {
        row = scope.Database.Clients.SingleOrDefault(row => row.Id == client);
        return row is null ? AdminChange.Unknown : ifMatch.Holds(row.Tag()) ? AdminChange.Done : AdminChange.Stale;
    }

    // A deleted client is still shown, but nothing can be done with it.
    private static AdminChange FindActive(WriteScope scope, Guid client, Precondition ifMatch, out ClientRow? row)
    {
        var found = Find(scope, client, ifMatch, out row);
        return row is { DeletedAt: null } ? found : AdminChange.Unknown;
    }
}
