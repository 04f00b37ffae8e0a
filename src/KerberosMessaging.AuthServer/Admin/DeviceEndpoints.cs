using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Admin.Access;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Admin;

/// <summary>A device of a client.</summary>
/// <param name="Id" example="c2f8d9a1-7b3e-4c56-b0a4-5e6d7f8091a2">The device's id, unique within its client.</param>
/// <param name="Name" example="laptop">What its person calls it.</param>
/// <param name="Serial" example="17">The serial of its certificate.</param>
/// <param name="IsLinked" example="true">Whether its client's account key says that it is the client's: peers refuse a device that is not, until they accept it.</param>
/// <param name="CreatedAt" example="2026-05-04T08:15:30Z">When it first logged in.</param>
/// <param name="LastSeenAt" example="2026-05-30T07:55:00Z">When it last logged in or renewed.</param>
/// <param name="RemovedAt" example="2026-06-01T12:00:00Z">When it was removed; null while it may log in.</param>
/// <param name="RemovedReason" example="removed by an admin">Why it was removed.</param>
internal sealed record DeviceView(
    Guid Id,
    string Name,
    long Serial,
    bool IsLinked,
    DateTimeOffset CreatedAt,
    DateTimeOffset LastSeenAt,
    DateTimeOffset? RemovedAt,
    string? RemovedReason)
{
    public static DeviceView Of(DeviceRow row) =>
        new(row.DeviceId, row.Name, row.Serial, row.Link.Length > 0, row.CreatedAt, row.LastSeenAt, row.RevokedAt, row.RevokedReason);
}

internal static class DeviceEndpoints
{
    public static void Map(RouteGroupBuilder admin)
    {
        var devices = admin.MapGroup("/clients/{id:guid}/devices").WithTags("Clients");
        devices.MapGet("", ListAsync).RequireScope(AdminScope.ClientsRead);
        devices.MapGet("/{deviceId:guid}", GetAsync).RequireScope(AdminScope.ClientsRead);
        devices.MapDelete("/{deviceId:guid}", RemoveAsync).RequireScope(AdminScope.ClientsWrite);
    }

    /// <summary>Lists the devices of a client</summary>
    /// <remarks>Oldest first, a page at a time.</remarks>
    /// <param name="id" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client's id.</param>
    /// <param name="page">Which page.</param>
    /// <param name="database">The database.</param>
    /// <param name="cancellationToken">The request's end.</param>
    /// <param name="includeRemoved">Lists removed devices too.</param>
    private static async Task<Results<Ok<Page<DeviceView>>, NotFound, ValidationProblem>> ListAsync(
        Guid id, [AsParameters] PageRequest page, AuthDbContext database, CancellationToken cancellationToken, bool includeRemoved = false)
    {
        if (!page.TryRead(out var limit, out var after, out var problem))
        {
            return problem;
        }

        if (!await database.Clients.AnyAsync(row => row.Id == id, cancellationToken))
        {
            return TypedResults.NotFound();
        }

        // The serial stands in the cursor's place for a time: it says as well what came first.
        var serial = (after ?? PagePosition.Start).CreatedAtMs;
        var rows = await database.Devices.AsNoTracking()
            .Where(row => row.ClientId == id && row.Serial > serial && (includeRemoved || row.RevokedAt == null))
            .OrderBy(static row => row.Serial)
            .Take(limit + 1)
            .ToListAsync(cancellationToken);
        return TypedResults.Ok(rows.ToPage(limit, DeviceView.Of, static row => PageCursor.Encode(row.Serial, row.DeviceId)));
    }

    /// <summary>Shows a device of a client</summary>
    /// <remarks>A removed device is shown too: when and why it was removed.</remarks>
    /// <param name="id" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client's id.</param>
    /// <param name="deviceId" example="c2f8d9a1-7b3e-4c56-b0a4-5e6d7f8091a2">The device's id.</param>
    /// <param name="database">The database.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<Ok<DeviceView>, NotFound>> GetAsync(
        Guid id, Guid deviceId, AuthDbContext database, HttpContext context, CancellationToken cancellationToken)
    {
        if (await database.Devices.AsNoTracking().SingleOrDefaultAsync(
            row => row.ClientId == id && row.DeviceId == deviceId, cancellationToken) is not { } device)
        {
            return TypedResults.NotFound();
        }

        device.Tag().SendWith(context.Response);
        return TypedResults.Ok(DeviceView.Of(device));
    }

    /// <summary>Removes a device of a client</summary>
    /// <remarks>Its sessions end at once, peers send nothing more to it, and it never logs in again under these keys.</remarks>
    /// <param name="id" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client's id.</param>
    /// <param name="deviceId" example="c2f8d9a1-7b3e-4c56-b0a4-5e6d7f8091a2">The device's id.</param>
    /// <param name="ifMatch">The `ETag` of the device as it was read: if it was changed since, nothing is done.</param>
    /// <param name="devices">The devices.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<NoContent, NotFound, ProblemHttpResult>> RemoveAsync(
        Guid id,
        Guid deviceId,
        [FromHeader(Name = "If-Match")] string? ifMatch,
        DeviceService devices,
        HttpContext context,
        CancellationToken cancellationToken) =>
        AdminResults.Changed(await devices.RemoveAsync(
            id, deviceId, Precondition.Parse(ifMatch), "removed by an admin", context.ToOrigin(), cancellationToken));
}
