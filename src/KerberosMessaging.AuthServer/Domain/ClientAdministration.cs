using System.Security.Cryptography;
using System.Text;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Audit;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>What admins do to clients and their sessions. Each returns false or null where there is no such client or session.</summary>
internal sealed class ClientAdministration(AuthWriter writer, RevocationLog revocations, DeviceService devices, LoginGuard guard, IOptions<AuthOptions> options)
{
    /// <summary>What a deleted client's name is remembered by: nobody may take it over, and nobody needs to read it any more.</summary>
    public static string DeletedKey(string name) =>
        $"deleted:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)))}";

    /// <summary>Lets a client log in no more, and ends its sessions.</summary>
    public Task<bool> DisableAsync(Guid client, Origin origin, CancellationToken cancellationToken) => ChangeAsync(
        client,
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
    public Task<bool> EnableAsync(Guid client, Origin origin, CancellationToken cancellationToken) => ChangeAsync(
        client,
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
    public Task<bool> DeleteAsync(Guid client, Origin origin, CancellationToken cancellationToken) => ChangeAsync(
        client,
        (scope, row) =>
        {
            devices.RemoveAll(scope, client, "client deleted", origin);
            revocations.RevokeClient(scope, client, "client deleted");
            guard.Clear(scope, client);
            row.NameKey = DeletedKey(row.NameKey);
            row.Name = "";
            row.NameSkeleton = row.NameSkeleton is { } skeleton ? DeletedKey(skeleton) : null;
            row.OpaqueRecord = [];
            row.PreviousKeys = [];
            row.DeletedAt = scope.Now;
            scope.Database.SaveChanges();
            scope.Audit(new AuditEvent(AuditKind.ClientDeleted, origin, $"client {client}"));
        },
        cancellationToken);

    /// <summary>Makes a token with which the client sets a new password. Its sessions end at once, its devices when the token is used.</summary>
    public Task<NewToken?> MakeResetTokenAsync(Guid client, Origin origin, CancellationToken cancellationToken) => writer.WriteAsync(
        scope =>
        {
            if (Find(scope, client) is null)
            {
                return null;
            }

            revocations.RevokeClient(scope, client, "password reset by an admin");
            return OneTimeTokens.MakeReset(scope, client, options.Value.ResetTokenLife, origin);
        },
        cancellationToken);

    /// <summary>Revokes all sessions of a client; null where there is no such client, else how many.</summary>
    public Task<int?> RevokeSessionsAsync(Guid client, Origin origin, CancellationToken cancellationToken) => writer.WriteAsync(
        scope =>
        {
            if (Find(scope, client) is null)
            {
                return (int?)null;
            }

            var ended = revocations.RevokeClient(scope, client, "revoked by an admin");
            scope.Audit(new AuditEvent(AuditKind.SessionRevoked, origin, $"client {client}", $"{ended} sessions"));
            return ended;
        },
        cancellationToken);

    /// <summary>Revokes one living session.</summary>
    public Task<bool> RevokeSessionAsync(Guid session, Origin origin, CancellationToken cancellationToken) => writer.WriteAsync(
        scope =>
        {
            var client = scope.Database.Sessions.Where(row => row.Id == session).Select(static row => row.ClientId).SingleOrDefault();
            if (!revocations.RevokeSession(scope, client, session, "revoked by an admin"))
            {
                return false;
            }

            scope.Audit(new AuditEvent(AuditKind.SessionRevoked, origin, $"session {session}", $"of client {client}"));
            return true;
        },
        cancellationToken);

    private Task<bool> ChangeAsync(Guid client, Action<WriteScope, ClientRow> change, CancellationToken cancellationToken) => writer.WriteAsync(
        scope =>
        {
            if (Find(scope, client) is not { } row)
            {
                return false;
            }

            change(scope, row);
            return true;
        },
        cancellationToken);

    private static ClientRow? Find(WriteScope scope, Guid client) =>
        scope.Database.Clients.SingleOrDefault(row => row.Id == client && row.DeletedAt == null);
}
