using System.Data.Common;
using System.Security.Cryptography;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Hosting.Telemetry;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.MessageServer.Persistence.Audit;

/// <summary>
/// Writes the audit log, one row after the other, and rare changes of the database with their rows in one transaction. Mail does
/// not pass through here.
/// </summary>
internal sealed partial class AuditWriter(
    IDbContextFactory<MessageDbContext> contexts, IDataProtectionProvider protection, TimeProvider time, ILogger<AuditWriter> logger, AuditMetrics? metrics = null)
    : IAuditWriter, IDisposable
{
    private const int KeySize = 32;

    private readonly IDataProtector _protector = protection.CreateProtector("KerberosMessaging.MessageServer", "audit key", "v1");
    private readonly SemaphoreSlim _turn = new(1);
    private SecretBytes? _key;
    private AuditChain? _chain;
    private Tail _tail = new(0, AuditChain.Start);

    /// <summary>Knows the hashes.</summary>
    public AuditChain Chain => _chain ?? throw new InvalidOperationException("The audit log is not loaded yet.");

    /// <summary>Opens the key, or makes it at the first start, and finds the log's end.</summary>
    /// <exception cref="StartupException">The key ring does not open the key.</exception>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var row = await context.AuditKeys.AsNoTracking().SingleOrDefaultAsync(cancellationToken);
        if (row is null)
        {
            _key = SecretBytes.Random(KeySize);
            context.AuditKeys.Add(new AuditKeyRow
            {
                SealedKey = Sealing.Seal(_protector, _key),
                CreatedAt = time.GetUtcNow().ToUnixTimeMilliseconds(),
            });
            await context.SaveChangesAsync(cancellationToken);
        }
        else
        {
            try
            {
                _key = Sealing.Open(_protector, row.SealedKey);
            }
            catch (CryptographicException e)
            {
                throw new StartupException(
                    "the key ring in the data folder's 'keys' does not open the key of the audit log: restore the folder from one backup.", e);
            }
        }

        _chain = new AuditChain(_key);
        _tail = await ReadTailAsync(context, cancellationToken);
    }

    /// <summary>
    /// Writes that the server starts. On a full disk it starts without that row: it must, since devices that fetch and acknowledge their
    /// mail make room, and nothing that an admin asks for is answered without a row of its own.
    /// </summary>
    public async Task TryWriteStartAsync()
    {
        try
        {
            await WriteAsync(new AuditEvent(AuditKind.ServerStarted, Origin.System, "message server"), CancellationToken.None);
        }
        catch (Exception e) when (e is DbUpdateException or DbException)
        {
            Log.StartNotWritten(logger, e);
        }
    }

    public Task WriteAsync(AuditEvent happened, CancellationToken cancellationToken) =>
        WriteAsync(happened, static (_, _) => Task.CompletedTask, cancellationToken);

    /// <summary>Makes a change and writes its row, both or neither.</summary>
    public async Task WriteAsync(
        AuditEvent happened, Func<MessageDbContext, CancellationToken, Task> change, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            // What has its turn is carried out: whether a commit that was broken off happened, nobody could tell.
            await using var context = await contexts.CreateDbContextAsync(CancellationToken.None);
            await using var transaction = await context.Database.BeginTransactionAsync(CancellationToken.None);
            await change(context, CancellationToken.None);
            var row = Row(happened);
            context.AuditEvents.Add(row);
            var mac = Chain.HeadMac(row.Sequence, row.Hash);
            if (await context.AuditHeads.SingleOrDefaultAsync(CancellationToken.None) is { } head)
            {
                (head.Sequence, head.Mac) = (row.Sequence, mac);
            }
            else
            {
                context.AuditHeads.Add(new AuditHeadRow { Sequence = row.Sequence, Mac = mac });
            }

            await context.SaveChangesAsync(CancellationToken.None);
            await transaction.CommitAsync(CancellationToken.None);
            _tail = new Tail(row.Sequence, row.Hash);
            metrics?.Added(happened);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose()
    {
        _turn.Dispose();
        _key?.Dispose();
    }

    private AuditRow Row(AuditEvent happened)
    {
        var row = new AuditRow
        {
            Sequence = _tail.Sequence + 1,
            At = DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds()),
            Kind = happened.Kind,
            Result = happened.Result,
            Actor = happened.Origin.Actor,
            Address = happened.Origin.Address,
            Target = happened.Target,
            Detail = happened.Detail,
            Correlation = happened.Origin.Correlation,
            Hash = [],
        };
        row.Hash = Chain.Hash(_tail.Hash, row);
        return row;
    }

    // An end that is not the one that was committed last (rows were cut off while the server was away) must not be covered up
    // by going on from it: the numbers go on behind a gap, which every later check finds.
    private async Task<Tail> ReadTailAsync(MessageDbContext context, CancellationToken cancellationToken)
    {
        var last = await context.AuditEvents.AsNoTracking()
            .OrderByDescending(static row => row.Sequence)
            .Select(static row => new { row.Sequence, row.Hash })
            .FirstOrDefaultAsync(cancellationToken);
        var tail = last is null ? new Tail(0, AuditChain.Start) : new Tail(last.Sequence, last.Hash);
        var head = await context.AuditHeads.AsNoTracking().SingleOrDefaultAsync(cancellationToken);
        var isWhole = head is null
            ? last is null
            : head.Sequence == tail.Sequence && head.Mac.AsSpan().SequenceEqual(Chain.HeadMac(tail.Sequence, tail.Hash));
        return isWhole ? tail : tail with { Sequence = Math.Max(head?.Sequence ?? 0, tail.Sequence) + 1 };
    }

    private readonly record struct Tail(long Sequence, byte[] Hash);

    private static partial class Log
    {
        [LoggerMessage(3601, LogLevel.Warning, "The audit log cannot be written, so that this start is not in it.")]
        public static partial void StartNotWritten(ILogger logger, Exception exception);
    }
}
