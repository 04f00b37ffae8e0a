using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Wire.Limits;
using KerberosMessaging.Protocol;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.MessageServer.Persistence;

/// <summary>Keeps the limits that admins set for single clients, so that they outlive a restart, and puts them to use.</summary>
internal sealed class ClientLimitStore(IDbContextFactory<MessageDbContext> contexts, ClientLimits limits, TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim _changing = new(1);

    /// <summary>Puts those to use that have not expired. It only reads: a server starts on a full disk.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        foreach (var row in await context.LimitOverrides.AsNoTracking().Where(row => row.ExpiresAt > now).ToListAsync(cancellationToken))
        {
            limits.Set(new ClientLimit(
                new ClientId(row.ClientId), row.RequestsPerSecond, row.Burst, DateTimeOffset.FromUnixTimeMilliseconds(row.ExpiresAt)));
        }
    }

    /// <summary>The tag of a limit.</summary>
    public static EntityTag TagOf(ClientLimit limit) =>
        EntityTag.Of(limit.Client.Value, limit.RequestsPerSecond, limit.Burst, limit.ExpiresAt);

    /// <summary>Sets a client's limit, and forgets the rows of those that have expired.</summary>
    /// <param name="limit">The limit.</param>
    /// <param name="ifMatch">The condition that the admin set, as it came; null for none.</param>
    /// <param name="before">Runs before the change is made; if it fails, so does the change.</param>
    public Task<AdminChange> SetAsync(ClientLimit limit, string? ifMatch, Func<Task> before) => ChangeAsync(limit.Client, ifMatch, async known =>
    {
        if (known is null && ifMatch is not null)
        {
            return AdminChange.Stale;
        }

        await before();
        await using var context = await contexts.CreateDbContextAsync();
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        await context.LimitOverrides.Where(row => row.ExpiresAt <= now).ExecuteDeleteAsync();
        var row = await context.LimitOverrides.SingleOrDefaultAsync(row => row.ClientId == limit.Client.Value);
        if (row is null)
        {
            row = new LimitOverrideRow { ClientId = limit.Client.Value };
            context.LimitOverrides.Add(row);
        }

        (row.RequestsPerSecond, row.Burst, row.ExpiresAt) = (limit.RequestsPerSecond, limit.Burst, limit.ExpiresAt.ToUnixTimeMilliseconds());
        await context.SaveChangesAsync();
        limits.Set(limit);
        return AdminChange.Done;
    });

    /// <summary>Lets the configured limit hold for a client again.</summary>
    /// <param name="client">The client.</param>
    /// <param name="ifMatch">The condition that the admin set, as it came; null for none.</param>
    /// <param name="before">Runs before the change is made; if it fails, so does the change.</param>
    public Task<AdminChange> RemoveAsync(ClientId client, string? ifMatch, Func<Task> before) => ChangeAsync(client, ifMatch, async known =>
    {
        if (known is null)
        {
            return AdminChange.Unknown;
        }

        await before();
        await using var context = await contexts.CreateDbContextAsync();
        await context.LimitOverrides.Where(row => row.ClientId == client.Value).ExecuteDeleteAsync();
        limits.Remove(client);
        return AdminChange.Done;
    });

    public void Dispose() => _changing.Dispose();

    // One after the other: what was judged is what is changed.
    private async Task<AdminChange> ChangeAsync(ClientId client, string? ifMatch, Func<ClientLimit?, Task<AdminChange>> change)
    {
        await _changing.WaitAsync();
        try
        {
            var known = limits.Find(client);
            return known is not null && !Precondition.Parse(ifMatch).Holds(TagOf(known)) ? AdminChange.Stale : await change(known);
        }
        finally
        {
            _changing.Release();
        }
    }
}
