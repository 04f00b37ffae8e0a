using System.Data.Common;
using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace KerberosMessaging.Hosting.Audit;

/// <summary>Reads and checks the audit log.</summary>
/// <param name="store">Reads the rows.</param>
/// <param name="writer">Writes down who exports and checks.</param>
/// <param name="chain">Knows the hashes.</param>
/// <param name="logger">Is told of a broken log.</param>
public sealed partial class AuditLog(IAuditStore store, IAuditWriter writer, AuditChain chain, ILogger<AuditLog> logger)
{
    // Each piece is a statement of its own: one that stays open as long as somebody downloads keeps SQLite from shortening
    // its write-ahead log.
    private const int RowsPerPiece = 1000;

    private const string Target = "audit log";

    /// <summary>Rows before a sequence number, newest first.</summary>
    /// <param name="filter">Which rows.</param>
    /// <param name="before">The sequence number.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellationToken">The caller's patience.</param>
    public async Task<IReadOnlyList<AuditRow>> ListAsync(AuditFilter filter, long before, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(filter);
        return await store
            .Read(
                rows => filter.Apply(rows).Where(row => row.Sequence < before).OrderByDescending(static row => row.Sequence).Take(limit),
                cancellationToken)
            .ToListAsync(cancellationToken);
    }

    /// <summary>Writes down that somebody exports, then gives the rows of a time up to that one, oldest first.</summary>
    /// <param name="from">Not before this time.</param>
    /// <param name="to">Before this time.</param>
    /// <param name="origin">Who exports.</param>
    /// <param name="cancellationToken">The caller's patience.</param>
    public async Task<IAsyncEnumerable<AuditRow>> ExportAsync(
        DateTimeOffset? from, DateTimeOffset? to, Origin origin, CancellationToken cancellationToken)
    {
        var detail = string.Create(CultureInfo.InvariantCulture, $"from {from?.UtcDateTime:O} to {to?.UtcDateTime:O}");
        await writer.WriteAsync(
            new AuditEvent(AuditKind.AuditExported, origin, Target, from is null && to is null ? "all" : detail), cancellationToken);
        var newest = await store
            .Read(static rows => rows.OrderByDescending(static row => row.Sequence).Take(1), cancellationToken)
            .FirstAsync(cancellationToken);
        return ReadAsync(new AuditFilter(From: from, To: to), newest.Sequence, cancellationToken);
    }

    /// <summary>Checks the log, and writes down what was found.</summary>
    /// <param name="origin">Who asks.</param>
    /// <param name="cancellationToken">The caller's patience.</param>
    public async Task<AuditVerification> VerifyAsync(Origin origin, CancellationToken cancellationToken)
    {
        var found = await VerifyAsync(cancellationToken);
        var detail = found.BrokenAt is { } row ? $"broken at {row}" : $"{found.Rows} rows, intact";
        try
        {
            await writer.WriteAsync(new AuditEvent(AuditKind.AuditVerified, origin, Target, detail), cancellationToken);
        }
        catch (DbException e) when (found.BrokenAt is not null)
        {
            // A forged row may stand where the next one belongs. Whoever asks must learn of it all the same.
            Log.BrokenAndClosed(logger, e, found.BrokenAt.Value);
        }

        return found;
    }

    /// <summary>Follows the chain from the first row to the end that was last committed.</summary>
    /// <param name="cancellationToken">The caller's patience.</param>
    public async Task<AuditVerification> VerifyAsync(CancellationToken cancellationToken)
    {
        // Rows that are added meanwhile come after this end, and are not read.
        var end = await store.ReadEndAsync(cancellationToken);
        var hash = AuditChain.Start;
        var sequence = 0L;
        try
        {
            var (after, read) = (long.MinValue, 0);
            do
            {
                read = 0;
                await foreach (var row in Piece(static rows => rows, after, end?.Sequence ?? long.MaxValue, cancellationToken))
                {
                    (after, read) = (row.Sequence, read + 1);
                    hash = chain.Hash(hash, row);
                    if (row.Sequence != ++sequence || !hash.AsSpan().SequenceEqual(row.Hash))
                    {
                        return new AuditVerification(sequence, sequence, hash);
                    }
                }
            }
            while (read == RowsPerPiece);
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or OverflowException)
        {
            // A time or a number that this server cannot even hold.
            return new AuditVerification(sequence, sequence + 1, hash);
        }

        // The server writes a row before it answers anybody, so a log without an end was cut.
        var isWhole = end is not null
            && end.Sequence == sequence
            && end.Last == sequence
            && end.Mac.AsSpan().SequenceEqual(chain.HeadMac(sequence, hash));
        return new AuditVerification(sequence, isWhole ? null : sequence + 1, hash);
    }

    private async IAsyncEnumerable<AuditRow> ReadAsync(
        AuditFilter filter, long last, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var after = long.MinValue;
        List<AuditRow> piece;
        do
        {
            // Whole before any of it is given out: whoever takes the rows may be slow.
            piece = await Piece(filter.Apply, after, last, cancellationToken).ToListAsync(cancellationToken);
            foreach (var row in piece)
            {
                yield return row;
                after = row.Sequence;
            }
        }
        while (piece.Count == RowsPerPiece);
    }

    private IAsyncEnumerable<AuditRow> Piece(
        Func<IQueryable<AuditRow>, IQueryable<AuditRow>> select, long after, long last, CancellationToken cancellationToken) => store.Read(
        rows => select(rows)
            .Where(row => row.Sequence > after && row.Sequence <= last)
            .OrderBy(static row => row.Sequence)
            .Take(RowsPerPiece),
        cancellationToken);

    private static partial class Log
    {
        [LoggerMessage(2301, LogLevel.Error, "The audit log is broken at row {Row} and takes no further rows.")]
        public static partial void BrokenAndClosed(ILogger logger, Exception exception, long row);
    }
}
