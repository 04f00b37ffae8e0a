using KerberosMessaging.Hosting.Admin.Access;
using KerberosMessaging.Hosting.Audit;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.MessageServer.Persistence.Audit;

internal sealed class AdminTokenStore(IDbContextFactory<MessageDbContext> contexts, AuditWriter writer) : IAdminTokenStore
{
    public async Task<IReadOnlyList<AdminTokenRow>> LoadAsync(CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        return await context.AdminTokens.AsNoTracking().ToListAsync(cancellationToken);
    }

    public Task AddAsync(AdminTokenRow token, AuditEvent happened, CancellationToken cancellationToken) => writer.WriteAsync(
        happened,
        (context, _) =>
        {
            context.AdminTokens.Add(token);
            return Task.CompletedTask;
        },
        cancellationToken);

    public Task RevokeAsync(Guid id, DateTimeOffset at, string by, AuditEvent happened, CancellationToken cancellationToken) => writer.WriteAsync(
        happened,
        async (context, cancel) =>
        {
            var row = await context.AdminTokens.SingleAsync(row => row.Id == id, cancel);
            (row.RevokedAt, row.RevokedBy) = (at, by);
        },
        cancellationToken);

    public async Task SetLastUsedAsync(IReadOnlyDictionary<Guid, DateTimeOffset> uses, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        foreach (var (id, at) in uses)
        {
            await context.AdminTokens.Where(row => row.Id == id)
                .ExecuteUpdateAsync(set => set.SetProperty(static row => row.LastUsedAt, at), cancellationToken);
        }
    }
}
