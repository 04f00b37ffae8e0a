using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Protocol;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>What peers may know of a client.</summary>
internal sealed record ClientEntry(ClientId Client, string Name, ServerId HomeServer, IReadOnlyList<DeviceEntry> Devices);

/// <summary>What peers may know of a device.</summary>
/// <param name="Certificate">The realm's statement.</param>
/// <param name="Link">The account key's; empty while there is none.</param>
internal sealed record DeviceEntry(byte[] Certificate, byte[] Link);

/// <summary>Looks clients up by name.</summary>
internal sealed class ClientDirectory(AuthDbContext database, AuthWriter writer, MessageServers servers)
{
    public async Task<ClientEntry?> FindAsync(string name, CancellationToken cancellationToken)
    {
        if (!ClientName.TryParse(name, out var parsed)
            || await database.Clients.AsNoTracking().SingleOrDefaultAsync(
                row => row.NameKey == parsed.Key && row.DeletedAt == null, cancellationToken) is not { } client)
        {
            return null;
        }

        var home = client.HomeServerId ?? await AssignHomeAsync(client.Id, cancellationToken);
        var devices = await database.Devices
            .Where(row => row.ClientId == client.Id && row.RevokedAt == null)
            .OrderBy(static row => row.Serial)
            .Select(static row => new DeviceEntry(row.Certificate, row.Link))
            .ToListAsync(cancellationToken);
        return new ClientEntry(new ClientId(client.Id), client.Name, new ServerId(home ?? default), devices);
    }

    // Mailboxes follow the choice, so the first one stands. The server that is home to the fewest clients is chosen.
    private Task<Guid?> AssignHomeAsync(Guid client, CancellationToken cancellationToken) => writer.WriteAsync(
        scope =>
        {
            var row = scope.Database.Clients.Single(row => row.Id == client);
            if (row.HomeServerId is null && servers.Active.Count > 0)
            {
                var counts = scope.Database.Clients
                    .Where(static row => row.HomeServerId != null)
                    .GroupBy(static row => row.HomeServerId)
                    .Select(static group => new { Server = group.Key, Count = group.Count() })
                    .ToList();
                row.HomeServerId = servers.Active
                    .Select(static server => (Guid?)server.Id.Value)
                    .MinBy(id => counts.Find(count => count.Server == id)?.Count ?? 0);
                scope.Database.SaveChanges();
            }

            return row.HomeServerId;
        },
        cancellationToken);
}
