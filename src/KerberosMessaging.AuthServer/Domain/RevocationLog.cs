using KerberosMessaging.AuthServer.Persistence;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>
/// Ends sessions. What is revoked stands in a log that message servers follow by position, so that one which was away
/// learns on its return what it missed; connections of this server are cut as soon as the revocation is on disk.
/// </summary>
internal sealed class RevocationLog(AuthReader reader)
{
    private readonly ChangeSignal _signal = new();
    private readonly List<Action<RevocationRow>> _listeners = [];

    /// <summary>Completes when there is more in the log.</summary>
    public Task Changed => _signal.Next;

    /// <summary>The newest position.</summary>
    public long Newest => reader.NewestRevocation();

    /// <summary>Entries after a position, oldest first.</summary>
    public List<RevocationRow> ReadAfter(long position, int limit) => reader.FindRevocations(position, limit);

    /// <summary>Calls back for each entry once it is on disk; to be set up before the server starts. Must not throw.</summary>
    public void OnRevoked(Action<RevocationRow> listener) => _listeners.Add(listener);

    /// <summary>Revokes one living session of a client; false where there is none.</summary>
    public bool RevokeSession(WriteScope scope, Guid client, Guid session, string reason)
    {
        var row = scope.Database.Sessions.SingleOrDefault(row => row.Id == session && row.ClientId == client && row.RevokedAt == null);
        if (row is null)
        {
            return false;
        }

        row.RevokedAt = scope.Now;
        row.RevokedReason = reason;
        scope.Database.SaveChanges();
        Log(scope, RevocationKind.Session, client, row.DeviceId, session);
        return true;
    }

    /// <summary>Revokes a session that was found living in the same piece of work: one of very many, so without EF Core.</summary>
    public void RevokeLiving(WriteScope scope, Guid client, Guid device, Guid session, string reason)
    {
        scope.Execute("""UPDATE "Sessions" SET "RevokedAt" = @0, "RevokedReason" = @1 WHERE "Id" = @2""", scope.Now, reason, session);
        Log(scope, RevocationKind.Session, client, device, session);
    }

    /// <summary>Revokes all living sessions of a client, and with them every ticket that hangs on one; returns how many.</summary>
    public int RevokeClient(WriteScope scope, Guid client, string reason)
    {
        var revoked = Revoke(scope, scope.Database.Sessions.Where(row => row.ClientId == client), reason);
        Log(scope, RevocationKind.Client, client, default, default);
        return revoked;
    }

    /// <summary>Revokes all living sessions of a client but one; returns how many.</summary>
    public int RevokeOthers(WriteScope scope, Guid client, Guid except, string reason)
    {
        var others = scope.Database.Sessions.AsNoTracking()
            .Where(row => row.ClientId == client && row.Id != except && row.RevokedAt == null && row.ExpiresAt > scope.Now)
            .Select(static row => row.Id)
            .ToList();
        others.ForEach(session => RevokeSession(scope, client, session, reason));
        return others.Count;
    }

    /// <summary>Revokes all living sessions of a device; returns how many.</summary>
    public int RevokeDevice(WriteScope scope, Guid client, Guid device, string reason)
    {
        var revoked = Revoke(scope, scope.Database.Sessions.Where(row => row.ClientId == client && row.DeviceId == device), reason);
        Log(scope, RevocationKind.Device, client, device, default);
        return revoked;
    }

    private static int Revoke(WriteScope scope, IQueryable<SessionRow> sessions, string reason)
    {
        var now = scope.Now;
        return sessions
            .Where(row => row.RevokedAt == null && row.ExpiresAt > now)
            .ExecuteUpdate(set => set.SetProperty(static row => row.RevokedAt, now).SetProperty(static row => row.RevokedReason, reason));
    }

    private void Log(WriteScope scope, RevocationKind kind, Guid client, Guid device, Guid session)
    {
        var position = (long)scope.Scalar(
            """
            INSERT INTO "Revocations" ("Kind", "ClientId", "DeviceId", "SessionId", "At") VALUES (@0, @1, @2, @3, @4)
            RETURNING "Position"
            """,
            (int)kind, client, device, session, scope.Now)!;
        var row = new RevocationRow
        {
            Position = position,
            Kind = kind,
            ClientId = client,
            DeviceId = device,
            SessionId = session,
            At = scope.Now,
        };
        scope.AfterCommit(() =>
        {
            _listeners.ForEach(listener => listener(row));
            _signal.Raise();
        });
    }
}
