using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Admin.Access;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using Microsoft.AspNetCore.Http.HttpResults;

namespace KerberosMessaging.MessageServer.Admin;

internal static class PrekeyEndpoints
{
    // Of one page: where few devices are low, many are looked at for each that is.
    private const int MostLookedAt = 2000;

    public static void Map(RouteGroupBuilder admin)
    {
        var prekeys = admin.MapGroup("/prekeys").WithTags("Prekeys").RequireScope(AdminScope.QueuesRead);
        prekeys.MapGet("", ListAsync);
        prekeys.MapGet("/{deviceId:guid}", GetAsync)
            .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
    }

    /// <summary>Lists the prekey stock of devices</summary>
    /// <remarks>
    /// By client name and device, a page at a time. Who asks for low ones alone may get a short page, even an empty one, that has a next page: one answer looks at
    /// 2,000 devices at most.
    /// </remarks>
    /// <param name="page">Which page.</param>
    /// <param name="store">The store.</param>
    /// <param name="low">Only devices with so few one-time prekeys of a kind left that they were told to upload more.</param>
    private static async Task<Results<Ok<Page<PrekeyStockView>>, ValidationProblem>> ListAsync(
        [AsParameters] PageRequest page, IMailboxStore store, bool low = false)
    {
        if (!page.TryReadByKey(out var limit, out var after, out var problem))
        {
            return problem;
        }

        QueuePosition? place = after is { } start ? new QueuePosition(start.SortKey, new DeviceId(start.Id)) : null;
        var items = new List<PrekeyStockView>();
        for (var seen = 0; seen < MostLookedAt;)
        {
            var rows = await store.ReadPrekeyStocksAsync(place, PageRequest.MaxLimit);
            foreach (var row in rows)
            {
                if (!low || row.Stock.IsLow)
                {
                    if (items.Count == limit)
                    {
                        return TypedResults.Ok(new Page<PrekeyStockView>(items, Cursor(place)));
                    }

                    items.Add(PrekeyStockView.Of(row));
                }

                place = new QueuePosition(row.ClientName, row.Device.Device);
            }

            if (rows.Count < PageRequest.MaxLimit)
            {
                return TypedResults.Ok(new Page<PrekeyStockView>(items, null));
            }

            seen += rows.Count;
        }

        return TypedResults.Ok(new Page<PrekeyStockView>(items, Cursor(place)));
    }

    /// <summary>Shows the prekey stock of a device</summary>
    /// <param name="deviceId" example="c2f8d9a1-7b3e-4c56-b0a4-5e6d7f8091a2">The device's id.</param>
    /// <param name="client">The client's id; needed only where two clients have a device with the same id.</param>
    /// <param name="store">The store.</param>
    private static async Task<Results<Ok<PrekeyStockView>, ProblemHttpResult>> GetAsync(Guid deviceId, Guid? client, IMailboxStore store) =>
        DeviceLookup.TryPick(
            await store.FindPrekeyStocksAsync(new QueueFilter(Device: new DeviceId(deviceId))),
            static row => row.Device.Client.Value,
            client,
            out var row,
            out var problem)
            ? TypedResults.Ok(PrekeyStockView.Of(row))
            : problem;

    private static string? Cursor(QueuePosition? place) => place is { } last ? PageCursor.Encode(last.ClientName, last.Device.Value) : null;
}
