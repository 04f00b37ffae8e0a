using KerberosMessaging.AuthServer.Persistence;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>Gives clients that registered before names had skeletons theirs. Of two that look alike the older one gets it.</summary>
internal static class ClientNameUpgrade
{
    public static async Task RunAsync(AuthDbContext database)
    {
        var rows = await database.Clients
            .Where(static row => row.NameSkeleton == null && row.DeletedAt == null)
            .OrderBy(static row => row.CreatedAt)
            .ToListAsync();
        foreach (var row in rows)
        {
            if (ClientName.TryParse(row.Name, out var name) && !await database.Clients.AnyAsync(other => other.NameSkeleton == name.Skeleton))
            {
                row.NameSkeleton = name.Skeleton;
                await database.SaveChangesAsync();
            }
        }
    }
}
