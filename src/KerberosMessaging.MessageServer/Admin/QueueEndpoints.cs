using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using Microsoft.AspNetCore.Http.HttpResults;

namespace KerberosMessaging.MessageServer.Admin;

internal static class QueueEndpoints
{
    /// <summary>Lists the mailboxes</summary>
    /// <remarks>By client name and device, a page at a time. Content is not shown: the server cannot read it.</remarks>
    public static async Task<Results<Ok<Page<QueueView>>, ValidationProblem>> ListAsync(
        [AsParameters] PageRequest page, IMailboxStore store)
    {
        if (!page.TryReadByKey(out var limit, out var after, out var problem))
        {
            return problem;
        }

        QueuePosition? start = after is { } place ? new QueuePosition(place.SortKey, new DeviceId(place.Id)) : null;
        var rows = await store.ReadQueuesAsync(start, limit + 1);
        return TypedResults.Ok(rows.ToPage(
            limit, Show, static row => PageCursor.Encode(row.ClientName, row.Device.Device.Value)));
    }

    private static QueueView Show(QueueState row) => new(
        row.ClientName,
        row.Device.Client.Value,
        row.Device.Device.Value,
        row.Waiting,
        row.Bytes,
        row.OldestAcceptedAt,
        row.NewestSequence,
        row.LastSeenAt);
}
