using KerberosMessaging.AuthServer.Persistence;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>Removes what nobody needs any more, in steps so small that no login waits long behind one, and rotates old keys.</summary>
internal sealed partial class Housekeeping(
    AuthWriter writer,
    LoginGuard guard,
    KeyRotation rotation,
    IOptions<AuthOptions> options,
    TimeProvider time,
    ILogger<Housekeeping> logger) : BackgroundService
{
    private const int RowsPerStep = 500;

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    // Used and expired tokens stay in the list for a while: an admin may ask what became of one.
    private static readonly TimeSpan TokenRetention = TimeSpan.FromDays(30);

    /// <summary>One round.</summary>
    public async Task RunOnceAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var sessionsBefore = now - options.Value.SessionRetention;

        // What ended before a time was created before it, and creation is what the index is by.
        await SweepAsync(
            scope => scope.Execute(
                """
                DELETE FROM "Sessions" WHERE "Id" IN (
                    SELECT "Id" FROM "Sessions" WHERE "CreatedAt" < @0 AND "RenewableUntil" < @0 AND "ExpiresAt" < @0 LIMIT @1)
                """,
                sessionsBefore,
                RowsPerStep),
            cancellationToken);

        // A message server that was away for longer has no valid ticket left to refuse.
        var revocationsBefore = now - options.Value.ServiceTicketLife - Tickets.TicketTimes.ServerClockSkew - TimeSpan.FromDays(1);
        await SweepAsync(
            scope => scope.Execute(
                """DELETE FROM "Revocations" WHERE "Position" IN (SELECT "Position" FROM "Revocations" WHERE "At" < @0 LIMIT @1)""",
                revocationsBefore,
                RowsPerStep),
            cancellationToken);
        var tokensBefore = now - TokenRetention;
        await SweepAsync(
            scope => scope.Database.OneTimeTokens.Where(row => row.ExpiresAt < tokensBefore).Take(RowsPerStep).ExecuteDelete(), cancellationToken);
        await guard.SweepAsync(cancellationToken);
        await rotation.MaintainAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            using var timer = new PeriodicTimer(Interval, time);
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await RunLoggedAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    private async Task RunLoggedAsync(CancellationToken stoppingToken)
    {
        try
        {
            await RunOnceAsync(stoppingToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // The next round tries again: a full disk must not end the sweeping that might have made room.
            Log.Failed(logger, e);
        }
    }

    private async Task SweepAsync(Func<WriteScope, int> step, CancellationToken cancellationToken)
    {
        while (await writer.WriteAsync(step, cancellationToken) >= RowsPerStep)
        {
            // More may be left.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2201, LogLevel.Error, "A round of housekeeping failed; the next one is in a minute.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
