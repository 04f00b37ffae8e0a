using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Audit;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>How much of everything there is.</summary>
/// <param name="Clients">Clients that are not deleted, disabled ones among them.</param>
/// <param name="DisabledClients">Clients that may not log in.</param>
/// <param name="Devices">Active devices.</param>
/// <param name="LivingSessions">Sessions that are neither revoked nor expired.</param>
/// <param name="MessageServers">Message servers that get tickets.</param>
/// <param name="LoginsLastMinute">Sessions that began in the last minute.</param>
/// <param name="FailedLoginsLastMinute">Logins that failed in the last minute.</param>
/// <param name="Lockouts">Names and addresses of which no try is taken now.</param>
/// <param name="AuditEvents">Rows of the audit log.</param>
internal sealed record RealmCounts(
    int Clients,
    int DisabledClients,
    int Devices,
    int LivingSessions,
    int MessageServers,
    int LoginsLastMinute,
    int FailedLoginsLastMinute,
    int Lockouts,
    long AuditEvents);

/// <summary>Counts what there is, by indexes, and no more than once in some seconds however many ask.</summary>
internal sealed class RealmStatistics(IServiceScopeFactory scopes, MessageServers servers, TimeProvider time) : IDisposable
{
    // A page that is open in a few browsers asks every few seconds.
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _turn = new(1);
    private RealmCounts? _counts;
    private DateTimeOffset _countedAt;

    /// <summary>When the server started.</summary>
    public DateTimeOffset StartedAt { get; } = time.GetUtcNow();

    public async Task<RealmCounts> CountAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var now = time.GetUtcNow();
            if (_counts is null || now - _countedAt >= Freshness || now < _countedAt)
            {
                await using var scope = scopes.CreateAsyncScope();
                _counts = await CountAsync(scope.ServiceProvider.GetRequiredService<AuthDbContext>(), now, cancellationToken);
                _countedAt = now;
            }

            return _counts;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    private async Task<RealmCounts> CountAsync(AuthDbContext database, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var minuteAgo = now - TimeSpan.FromMinutes(1);
        return new RealmCounts(
            await database.Clients.CountAsync(static row => row.DeletedAt == null, cancellationToken),
            await database.Clients.CountAsync(static row => row.DisabledAt != null && row.DeletedAt == null, cancellationToken),
            await database.Devices.CountAsync(static row => row.RevokedAt == null, cancellationToken),
            await database.Sessions.CountAsync(row => row.RevokedAt == null && row.ExpiresAt > now, cancellationToken),
            servers.Active.Count,
            await database.Sessions.CountAsync(row => row.CreatedAt > minuteAgo, cancellationToken),
            await CountFailuresAsync(database, minuteAgo, cancellationToken),
            await database.LoginFailures.CountAsync(row => row.BlockedUntil > now, cancellationToken),
            await database.AuditEvents.MaxAsync(static row => (long?)row.Sequence, cancellationToken) ?? 0);
    }

    // Back from the end, as far as the minute goes: there is no index by time.
    private static async Task<int> CountFailuresAsync(AuthDbContext database, DateTimeOffset since, CancellationToken cancellationToken)
    {
        var count = 0;
        await foreach (var at in database.AuditEvents
            .Where(static row => row.Kind == AuditKind.LoginFailed)
            .OrderByDescending(static row => row.Sequence)
            .Select(static row => row.At)
            .AsAsyncEnumerable()
            .WithCancellation(cancellationToken))
        {
            if (at <= since)
            {
                break;
            }

            count++;
        }

        return count;
    }
}
