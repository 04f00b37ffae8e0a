namespace KerberosMessaging.Hosting.Audit;

/// <summary>Where the audit log ends.</summary>
/// <param name="Sequence">The last row's number, as committed.</param>
/// <param name="Mac">The proof of it.</param>
/// <param name="Last">The number of the last row that there is; null when there is none.</param>
public sealed record AuditEnd(long Sequence, byte[] Mac, long? Last);

/// <summary>Reads the tables of the audit log.</summary>
public interface IAuditStore
{
    /// <summary>Reads rows by one statement, one row after the other.</summary>
    /// <param name="query">Which rows, in which order.</param>
    /// <param name="cancellationToken">The caller's patience.</param>
    IAsyncEnumerable<AuditRow> Read(Func<IQueryable<AuditRow>, IQueryable<AuditRow>> query, CancellationToken cancellationToken);

    /// <summary>Reads where the log ends, all of it of one moment; null when no end was ever committed.</summary>
    /// <param name="cancellationToken">The caller's patience.</param>
    Task<AuditEnd?> ReadEndAsync(CancellationToken cancellationToken);
}
