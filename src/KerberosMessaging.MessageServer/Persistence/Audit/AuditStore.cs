using System.Runtime.CompilerServices;
using KerberosMessaging.Hosting.Audit;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.MessageServer.Persistence.Audit;

internal sealed class AuditStore(IDbContextFactory<MessageDbContext> contexts) : IAuditStore
{
    public async IAsyncEnumerable<AuditRow> Read(
        Func<IQueryable<AuditRow>, IQueryable<AuditRow>> query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        await foreach (var row in query(context.AuditEvents.AsNoTracking()).AsAsyncEnumerable().WithCancellation(cancellationToken))
        {
            yield return row;
        }
    }

    // One statement, so that both are of one moment.
    public async Task<AuditEnd?> ReadEndAsync(CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        return await context.AuditHeads.AsNoTracking()
            .Select(head => new AuditEnd(head.Sequence, head.Mac, context.AuditEvents.Max(static row => (long?)row.Sequence)))
            .SingleOrDefaultAsync(cancellationToken);
    }
}
