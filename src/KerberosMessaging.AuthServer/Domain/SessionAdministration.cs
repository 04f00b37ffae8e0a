using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Admin.Jobs;
using KerberosMessaging.Hosting.Audit;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>Which living sessions to end.</summary>
/// <param name="Clients">Those of these clients; null for everybody's.</param>
/// <param name="CreatedBefore">Those that began before this time.</param>
internal sealed record SessionFilter(IReadOnlyList<Guid>? Clients, DateTimeOffset CreatedBefore);

/// <summary>What admins do to sessions, one or many.</summary>
internal sealed class SessionAdministration(AuthWriter writer, RevocationLog revocations)
{
    private const string Reason = "revoked by an admin";

    // Some 10 ms of the writer's time, for which logins wait.
    private const int SessionsPerStep = 200;

    /// <summary>Revokes one session; one that ended before is done.</summary>
    public Task<AdminChange> RevokeAsync(Guid session, Precondition ifMatch, Origin origin, CancellationToken cancellationToken) => writer.WriteAsync(
        scope =>
        {
            if (scope.Database.Sessions.AsNoTracking().SingleOrDefault(row => row.Id == session) is not { } row)
            {
                return AdminChange.Unknown;
            }

            if (!ifMatch.Holds(row.Tag()))
            {
                return AdminChange.Stale;
            }

            if (revocations.RevokeSession(scope, row.ClientId, session, Reason))
            {
                Audit(scope, session, row.ClientId, origin);
            }

            return AdminChange.Done;
        },
        cancellationToken);

    /// <summary>Revokes those of the sessions that live, all at once; returns how many.</summary>
    public Task<int> RevokeAsync(IReadOnlyCollection<Guid> sessions, Origin origin, CancellationToken cancellationToken) => writer.WriteAsync(
        scope => Revoke(
            scope,
            scope.Database.Sessions.AsNoTracking()
                .Where(row => sessions.Contains(row.Id) && row.RevokedAt == null && row.ExpiresAt > scope.Now)
                .Select(static row => new LivingSession(row.Id, row.ClientId, row.DeviceId, row.ExpiresAt))
                .ToList(),
            origin),
        cancellationToken);

    /// <summary>How many sessions a filter finds now.</summary>
    public static Task<int> CountAsync(AuthDbContext database, SessionFilter filter, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var living = database.Sessions.Where(row => row.RevokedAt == null && row.ExpiresAt > now && row.CreatedAt < filter.CreatedBefore);
        return (filter.Clients is { } clients ? living.Where(row => clients.Contains(row.ClientId)) : living).CountAsync(cancellationToken);
    }

    /// <summary>Revokes all sessions that a filter finds, in steps so small that no login waits long behind one.</summary>
    public async Task RevokeAsync(SessionFilter filter, Origin origin, JobProgress progress, CancellationToken cancellationToken)
    {
        foreach (var client in filter.Clients?.Select(static id => (Guid?)id) ?? [null])
        {
            // A session that is renewed meanwhile moves on in this order, never back: none is missed.
            var after = (ExpiresAt: DateTimeOffset.MinValue, Id: Guid.Empty);
            int count;
            do
            {
                cancellationToken.ThrowIfCancellationRequested();
                var from = after;
                (count, after) = await writer.WriteAsync(
                    scope =>
                    {
                        var found = FindLiving(scope, client, filter.CreatedBefore, from.ExpiresAt, from.Id);
                        Revoke(scope, found, origin);
                        return found is [.., var last] ? (found.Count, (last.ExpiresAt, last.Id)) : (0, from);
                    },
                    cancellationToken);
                progress.Add(count);
            }
            while (count == SessionsPerStep);
        }
    }

    private static List<LivingSession> FindLiving(
        WriteScope scope, Guid? client, DateTimeOffset createdBefore, DateTimeOffset expiresAt, Guid id)
    {
        // Row values, since EF Core cannot compare identifiers.
        (expiresAt, id) = expiresAt > scope.Now ? (expiresAt, id) : (scope.Now, Guid.AllBitsSet);
        var found = new List<LivingSession>();
        using var row = client is { } one
            ? scope.Query(
                """
                SELECT "Id", "ClientId", "DeviceId", "ExpiresAt" FROM "Sessions"
                WHERE ("ExpiresAt", "Id") > (@0, @1) AND "RevokedAt" IS NULL AND "CreatedAt" < @2 AND "ClientId" = @4
                ORDER BY "ExpiresAt", "Id" LIMIT @3
                """,
                expiresAt, id, createdBefore, SessionsPerStep, one)
            : scope.Query(
                """
                SELECT "Id", "ClientId", "DeviceId", "ExpiresAt" FROM "Sessions"
                WHERE ("ExpiresAt", "Id") > (@0, @1) AND "RevokedAt" IS NULL AND "CreatedAt" < @2
                ORDER BY "ExpiresAt", "Id" LIMIT @3
                """,
                expiresAt, id, createdBefore, SessionsPerStep);
        while (row.Read())
        {
            found.Add(new LivingSession(row.GetId(0), row.GetId(1), row.GetId(2), row.GetTime(3)));
        }

        return found;
    }

    private int Revoke(WriteScope scope, List<LivingSession> sessions, Origin origin)
    {
        foreach (var session in sessions)
        {
            revocations.RevokeLiving(scope, session.Client, session.Device, session.Id, Reason);
            Audit(scope, session.Id, session.Client, origin);
        }

        return sessions.Count;
    }

    private static void Audit(WriteScope scope, Guid session, Guid client, Origin origin) =>
        scope.Audit(new AuditEvent(AuditKind.SessionRevoked, origin, $"session {session}", $"of client {client}"));

    private sealed record LivingSession(Guid Id, Guid Client, Guid Device, DateTimeOffset ExpiresAt);
}
