using KerberosMessaging.AuthServer.Persistence;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Domain.Audit;

/// <summary>What a check of the whole audit log found.</summary>
/// <param name="Rows">How many rows were read.</param>
/// <param name="BrokenAt">The first row that is missing or changed; null when every row and the end are as they were written.</param>
/// <param name="Head">The hash of the last row: two exports can be compared by it.</param>
internal sealed record AuditVerification(long Rows, long? BrokenAt, byte[] Head);

/// <summary>Reads the audit log.</summary>
internal sealed class AuditLog(AuthDbContext database, AuditChain chain)
{
    /// <summary>Follows the chain from the first row to the end that was last committed.</summary>
    public async Task<AuditVerification> VerifyAsync(CancellationToken cancellationToken)
    {
        // First the end: rows that are added meanwhile come after it, and are not read.
        var end = await database.AuditHeads.AsNoTracking().SingleOrDefaultAsync(cancellationToken);
        var hash = AuditChain.Start;
        var sequence = 0L;
        await foreach (var row in database.AuditEvents.AsNoTracking()
            .Where(row => end == null || row.Sequence <= end.Sequence)
            .OrderBy(static row => row.Sequence)
            .AsAsyncEnumerable()
            .WithCancellation(cancellationToken))
        {
            hash = chain.Hash(hash, row);
            if (row.Sequence != ++sequence || !hash.AsSpan().SequenceEqual(row.Hash))
            {
                return new AuditVerification(sequence, sequence, hash);
            }
        }

        var isWhole = end is null
            ? sequence == 0
            : end.Sequence == sequence && end.Mac.AsSpan().SequenceEqual(chain.HeadMac(sequence, hash));
        return new AuditVerification(sequence, isWhole ? null : sequence + 1, hash);
    }
}
