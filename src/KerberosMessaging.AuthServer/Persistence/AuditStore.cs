using KerberosMessaging.Hosting.Audit;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Persistence;

internal sealed class AuditStore(AuthDbContext database) : IAuditStore
{
    public IAsyncEnumerable<AuditRow> Read(Func<IQueryable<AuditRow>, IQueryable<AuditRow>> query, CancellationToken cancellationToken) =>
        query(database.AuditEvents.AsNoTracking()).AsAsyncEnumerable();

    // One statement, so that both are of one moment.
    public Task<AuditEnd?> ReadEndAsync(CancellationToken cancellationToken) => database.AuditHeads.AsNoTracking()
        .Where(static head => head.Id == AuditHeadRow.OnlyId)
        .Select(head => new AuditEnd(head.Sequence, head.Mac, database.AuditEvents.Max(static row => (long?)row.Sequence)))
        .SingleOrDefaultAsync(cancellationToken);
}
