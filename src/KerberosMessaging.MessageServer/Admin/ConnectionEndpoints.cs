using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Domain;
using Microsoft.AspNetCore.Http.HttpResults;

namespace KerberosMessaging.MessageServer.Admin;

internal static class ConnectionEndpoints
{
    /// <summary>Lists the open connections</summary>
    /// <remarks>Oldest first, a page at a time; connections without a ticket yet are listed too.</remarks>
    public static Results<Ok<Page<ConnectionView>>, ValidationProblem> List(
        [AsParameters] PageRequest page, ConnectionRegistry registry, MailboxDirectory mailboxes)
    {
        if (!page.TryRead(out var limit, out var after, out var problem))
        {
            return problem;
        }

        var start = after ?? PagePosition.Start;
        var rows = registry.All
            .Select(static connection => (Connection: connection, Key: Key(connection)))
            .Where(row => row.Key.CompareTo((start.CreatedAtMs, start.Id)) > 0)
            .OrderBy(static row => row.Key)
            .Take(limit + 1)
            .ToArray();
        return TypedResults.Ok(rows.ToPage(
            limit, row => Show(row.Connection, mailboxes), static row => PageCursor.Encode(row.Key.ConnectedAtMs, row.Key.Session)));
    }

    private static (long ConnectedAtMs, Guid Session) Key(WireConnection connection) =>
        (connection.ConnectedAt.ToUnixTimeMilliseconds(), connection.Session.Value);

    private static ConnectionView Show(WireConnection connection, MailboxDirectory mailboxes)
    {
        var principal = connection.Principal;
        var receiving = principal is null ? null : mailboxes.Find(new DeviceAddress(principal.Client, principal.Device))?.Receiver;
        return new ConnectionView(
            connection.Session.Value,
            connection.RemoteAddress,
            principal?.ClientName,
            principal?.Client.Value,
            principal?.Device.Value,
            connection.ConnectedAt,
            principal?.EndsAt,
            receiving?.Session == connection.Session ? receiving.Credit : null);
    }
}
