using KerberosMessaging.Hosting.Admin.Access;
using KerberosMessaging.Hosting.Audit;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Persistence;

internal sealed class AdminTokenStore(IServiceScopeFactory scopes, AuthWriter writer) : IAdminTokenStore
{
    public async Task<IReadOnlyList<AdminTokenRow>> LoadAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<AuthDbContext>().AdminTokens.AsNoTracking().ToListAsync(cancellationToken);
    }

    public Task AddAsync(AdminTokenRow token, AuditEvent happened, CancellationToken cancellationToken) => writer.WriteAsync(
        scope =>
        {
            scope.Database.AdminTokens.Add(token);
            scope.Database.SaveChanges();
            scope.Audit(happened);
        },
        cancellationToken);

    public Task RevokeAsync(Guid id, DateTimeOffset at, string by, AuditEvent happened, CancellationToken cancellationToken) => writer.WriteAsync(
        scope =>
        {
            var row = scope.Database.AdminTokens.Single(row => row.Id == id);
            (row.RevokedAt, row.RevokedBy) = (at, by);
            scope.Database.SaveChanges();
            scope.Audit(happened);
        },
        cancellationToken);

    public Task SetLastUsedAsync(IReadOnlyDictionary<Guid, DateTimeOffset> uses, CancellationToken cancellationToken) => writer.WriteAsync(
        scope =>
        {
            foreach (var (id, at) in uses)
            {
                scope.Database.AdminTokens.Where(row => row.Id == id)
                    .ExecuteUpdate(set => set.SetProperty(static row => row.LastUsedAt, at));
            }
        },
        cancellationToken);
}
