using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Protocol;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>What peers may know of a client.</summary>
internal sealed record ClientEntry(ClientId Client, string Name, ServerId HomeServer, IReadOnlyList<byte[]> Certificates);

/// <summary>Looks clients up by name.</summary>
internal sealed class ClientDirectory(AuthDbContext database, MessageServers servers)
{
    public async Task<ClientEntry?> FindAsync(string name, CancellationToken cancellationToken)
    {
        if (!ClientName.TryParse(name, out var parsed)
            || await database.Clients.SingleOrDefaultAsync(row => row.NameKey == parsed.Key, cancellationToken) is not { } client)
        {
            return null;
        }

        if (client.HomeServerId is null && await ChooseHomeAsync(cancellationToken) is { } home)
        {
            // Two look-ups at once may choose differently; the first stored choice stands, since mailboxes follow it.
            await database.Clients
                .Where(row => row.Id == client.Id && row.HomeServerId == null)
                .ExecuteUpdateAsync(set => set.SetProperty(static row => row.HomeServerId, home), cancellationToken);
            await database.Entry(client).ReloadAsync(cancellationToken);
        }

        var certificates = await database.Devices
            .Where(row => row.ClientId == client.Id && row.RevokedAt == null)
            .OrderBy(static row => row.Serial)
            .Select(static row => row.Certificate)
            .ToListAsync(cancellationToken);
        return new ClientEntry(new ClientId(client.Id), client.Name, new ServerId(client.HomeServerId ?? default), certificates);
    }

    // The server that is home to the fewest clients.
    private async Task<Guid?> ChooseHomeAsync(CancellationToken cancellationToken)
    {
        var counts = await database.Clients
            .Where(static row => row.HomeServerId != null)
            .GroupBy(static row => row.HomeServerId)
            .Select(static group => new { Server = group.Key, Count = group.Count() })
            .ToListAsync(cancellationToken);
        return servers.Active
            .Select(static server => (Guid?)server.Id.Value)
            .MinBy(id => counts.Find(count => count.Server == id)?.Count ?? 0);
    }
}
