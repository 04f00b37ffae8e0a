using System.Globalization;
using System.Runtime.CompilerServices;
using KerberosMessaging.AuthServer.Persistence;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Domain.Audit;

/// <summary>What a check of the whole audit log found.</summary>
/// <param name="Rows">How many rows were read.</param>
/// <param name="BrokenAt">The first row that is missing or changed; null when every row and the end are as they were written.</param>
/// <param name="Head">The hash of the last row: two exports can be compared by it.</param>
internal sealed record AuditVerification(long Rows, long? BrokenAt, byte[] Head);

/// <summary>Which rows are asked for; what is null filters nothing.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Actor">Part of who did it.</param>
/// <param name="Target">Part of what it was done to, or of the detail.</param>
/// <param name="Address">Where it came from.</param>
/// <param name="Result">How it ended.</param>
/// <param name="From">Not before this time.</param>
/// <param name="To">Before this time.</param>
/// <param name="Correlation">What it belongs to.</param>
internal sealed record AuditFilter(
    AuditKind? Kind = null,
    string? Actor = null,
    string? Target = null,
    string? Address = null,
    AuditResult? Result = null,
    DateTimeOffset? From = null,
    DateTimeOffset? To = null,
    string? Correlation = null);

/// <summary>Reads the audit log.</summary>
internal sealed partial class AuditLog(AuthDbContext database, AuthWriter writer, AuditChain chain, ILogger<AuditLog> logger)
{
    // Each piece is a statement of its own: one that stays open as long as somebody downloads keeps SQLite from shortening
    // its write-ahead log.
    private const int RowsPerPiece = 1000;

    private const string Target = "audit log";

    /// <summary>Rows before a sequence number, newest first.</summary>
    public Task<List<AuditRow>> ListAsync(AuditFilter filter, long before, int limit, CancellationToken cancellationToken) => Select(filter)
        .Where(row => row.Sequence < before)
        .OrderByDescending(static row => row.Sequence)
        .Take(limit)
        .ToListAsync(cancellationToken);

    /// <summary>Writes down that somebody exports, then gives the rows of a time up to that one, oldest first.</summary>
    public async Task<IAsyncEnumerable<AuditRow>> ExportAsync(
        DateTimeOffset? from, DateTimeOffset? to, Origin origin, CancellationToken cancellationToken)
    {
        var detail = string.Create(CultureInfo.InvariantCulture, $"from {from?.UtcDateTime:O} to {to?.UtcDateTime:O}");
        await writer.WriteAsync(
            scope => scope.Audit(new AuditEvent(
                AuditKind.AuditExported, origin, Target, from is null && to is null ? "all" : detail)),
            cancellationToken);
        var end = await database.AuditEvents.MaxAsync(static row => row.Sequence, cancellationToken);
        return ReadAsync(Select(new AuditFilter(From: from, To: to)), end, cancellationToken);
    }

    /// <summary>Checks the log, and writes down what was found.</summary>
    public async Task<AuditVerification> VerifyAsync(Origin origin, CancellationToken cancellationToken)
    {
        var found = await VerifyAsync(cancellationToken);
        var detail = found.BrokenAt is { } row ? $"broken at {row}" : $"{found.Rows} rows, intact";
        try
        {
            await writer.WriteAsync(scope => scope.Audit(new AuditEvent(AuditKind.AuditVerified, origin, Target, detail)), cancellationToken);
        }
        catch (SqliteException e) when (found.BrokenAt is not null)
        {
            // A forged row may stand where the next one belongs. Whoever asks must learn of it all the same.
            Log.BrokenAndClosed(logger, e, found.BrokenAt.Value);
        }

        return found;
    }

    /// <summary>Follows the chain from the first row to the end that was last committed.</summary>
    public async Task<AuditVerification> VerifyAsync(CancellationToken cancellationToken)
    {
        // One statement, so both are of one moment; rows that are added meanwhile come after it, and are not read.
        var end = await database.AuditHeads.AsNoTracking()
            .Where(static head => head.Id == AuditHeadRow.OnlyId)
            .Select(head => new { head.Sequence, head.Mac, Last = database.AuditEvents.Max(static row => (long?)row.Sequence) })
            .SingleOrDefaultAsync(cancellationToken);
        var hash = AuditChain.Start;
        var sequence = 0L;
        try
        {
            var (after, read) = (long.MinValue, 0);
            do
            {
                read = 0;
                await foreach (var row in Piece(database.AuditEvents.AsNoTracking(), after, end?.Sequence ?? long.MaxValue)
                    .AsAsyncEnumerable()
                    .WithCancellation(cancellationToken))
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

    private IQueryable<AuditRow> Select(AuditFilter filter)
    {
        var rows = database.AuditEvents.AsNoTracking();
        rows = filter.Kind is { } kind ? rows.Where(row => row.Kind == kind) : rows;
        rows = filter.Actor is { } actor ? rows.Where(row => row.Actor.Contains(actor)) : rows;
        rows = filter.Target is { } target ? rows.Where(row => row.Target.Contains(target) || row.Detail.Contains(target)) : rows;
        rows = filter.Address is { } address ? rows.Where(row => row.Address == address) : rows;
        rows = filter.Result is { } result ? rows.Where(row => row.Result == result) : rows;
        rows = filter.From is { } from ? rows.Where(row => row.At >= from) : rows;
        rows = filter.To is { } to ? rows.Where(row => row.At < to) : rows;
        return filter.Correlation is { } correlation ? rows.Where(row => row.Correlation == correlation) : rows;
    }

    private static async IAsyncEnumerable<AuditRow> ReadAsync(
        IQueryable<AuditRow> rows, long last, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var after = long.MinValue;
        List<AuditRow> piece;
        do
        {
            // Whole before any of it is given out: whoever takes the rows may be slow.
            piece = await Piece(rows, after, last).ToListAsync(cancellationToken);
            foreach (var row in piece)
            {
                yield return row;
                after = row.Sequence;
            }
        }
        while (piece.Count == RowsPerPiece);
    }

    private static IQueryable<AuditRow> Piece(IQueryable<AuditRow> rows, long after, long last) => rows
        .Where(row => row.Sequence > after && row.Sequence <= last)
        .OrderBy(static row => row.Sequence)
        .Take(RowsPerPiece);

    private static partial class Log
    {
        [LoggerMessage(2301, LogLevel.Error, "The audit log is broken at row {Row} and takes no further rows.")]
        public static partial void BrokenAndClosed(ILogger logger, Exception exception, long row);
    }
}
