using System.ComponentModel.DataAnnotations;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Admin.Access;
using KerberosMessaging.Hosting.Admin.Jobs;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace KerberosMessaging.MessageServer.Admin;

internal static class QueueEndpoints
{
    public static void Map(RouteGroupBuilder admin)
    {
        var queues = admin.MapGroup("/queues").WithTags("Mailboxes");
        queues.MapGet("", ListAsync).RequireScope(AdminScope.QueuesRead).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        queues.MapGet("/{deviceId:guid}", GetAsync).RequireScope(AdminScope.QueuesRead)
            .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
        queues.MapPost("/{deviceId:guid}/purge", PurgeAsync).RequireScope(AdminScope.QueuesPurge)
            .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
        queues.MapPost("/{deviceId:guid}/expire", ExpireAsync).RequireScope(AdminScope.QueuesPurge)
            .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
        queues.MapPost("/expire", ExpireAllAsync).RequireScope(AdminScope.QueuesPurge).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }

    /// <summary>Lists the mailboxes</summary>
    /// <remarks>
    /// By client name and device, a page at a time; or, with <c>sort</c>, the first of an order, without further pages and without those in which nothing waits.
    /// What has waited longest is known to the second or so. Content is not shown: the server cannot read it.
    /// </remarks>
    /// <param name="page">Which page.</param>
    /// <param name="client">Only those of this client: its id, or its whole name as its latest ticket said. There are no further pages then.</param>
    /// <param name="sort">Most first: <c>-depth</c> by messages, <c>-bytes</c> by bytes, <c>-age</c> by how long the oldest has waited.</param>
    /// <param name="queues">The mailboxes.</param>
    private static async Task<Results<Ok<Page<QueueView>>, ValidationProblem, ProblemHttpResult>> ListAsync(
        [AsParameters] PageRequest page, string? client, string? sort, QueueReader queues)
    {
        if (!page.TryReadByKey(out var limit, out var after, out var problem))
        {
            return problem;
        }

        QueueOrder? order = sort switch { "-depth" => QueueOrder.Depth, "-bytes" => QueueOrder.Bytes, "-age" => QueueOrder.Age, _ => null };
        if (order is null && !string.IsNullOrEmpty(sort))
        {
            return AdminResults.Wrong("sort", "It must be -depth, -bytes or -age.");
        }

        if (!string.IsNullOrEmpty(client) || order is not null)
        {
            if (after is not null)
            {
                return AdminResults.Wrong("cursor", "With sort or client there is one page alone.");
            }

            if (order is not null && !queues.IsReady)
            {
                return AdminResults.Problem(
                    StatusCodes.Status503ServiceUnavailable, ProblemCodes.NotReady, "What waits is being counted since the start; try again soon.");
            }

            var first = string.IsNullOrEmpty(client)
                ? await queues.ReadTopAsync(order!.Value, limit)
                : await FindAsync(queues, client, order);
            return TypedResults.Ok(new Page<QueueView>([.. first.Take(limit).Select(QueueView.Of)], null));
        }

        QueuePosition? start = after is { } place ? new QueuePosition(place.SortKey, new DeviceId(place.Id)) : null;
        var rows = await queues.ListAsync(start, limit + 1);
        return TypedResults.Ok(rows.ToPage(
            limit, QueueView.Of, static row => PageCursor.Encode(row.ClientName, row.Device.Device.Value)));
    }

    /// <summary>Shows a mailbox</summary>
    /// <remarks>Numbers alone: neither content nor ids of messages.</remarks>
    /// <param name="deviceId" example="c2f8d9a1-7b3e-4c56-b0a4-5e6d7f8091a2">The device's id.</param>
    /// <param name="client">The client's id; needed only where two clients have a device with the same id.</param>
    /// <param name="queues">The mailboxes.</param>
    /// <param name="mailboxes">Those in memory.</param>
    /// <param name="context">The request.</param>
    private static async Task<Results<Ok<MailboxView>, ProblemHttpResult>> GetAsync(
        Guid deviceId, Guid? client, QueueReader queues, MailboxDirectory mailboxes, HttpContext context)
    {
        if (!DeviceLookup.TryPick(await FindAsync(queues, deviceId), ClientOf, client, out var row, out var problem))
        {
            return problem;
        }

        TagOf(row).SendWith(context.Response);
        var figures = mailboxes.Find(row.Mailbox)?.Measure();
        return TypedResults.Ok(new MailboxView(
            row.ClientName,
            row.Device.Client.Value,
            row.Device.Device.Value,
            row.Waiting,
            row.Bytes,
            row.OldestAcceptedAt,
            row.NewestSequence,
            row.OldestSequence - 1,
            row.LastSeenAt,
            figures?.IsConnected ?? false,
            figures?.Receiver?.Value,
            figures?.Credit));
    }

    /// <summary>Empties a mailbox</summary>
    /// <remarks>
    /// As a job. It deletes what waits now, and nothing that comes later. Senders were told that these messages were accepted, and are not told otherwise; the device never gets
    /// them, unless they are on their way to it already.
    /// </remarks>
    /// <param name="deviceId" example="c2f8d9a1-7b3e-4c56-b0a4-5e6d7f8091a2">The device's id.</param>
    /// <param name="client">The client's id; needed only where two clients have a device with the same id.</param>
    /// <param name="ifMatch">Empties it only if it is the one that was read.</param>
    /// <param name="work">What the operation needs.</param>
    private static Task<Results<Accepted<JobView>, ProblemHttpResult>> PurgeAsync(
        Guid deviceId, Guid? client, [FromHeader(Name = "If-Match")] string? ifMatch, [AsParameters] CleaningServices work) =>
        StartAsync("purge", AuditKind.MailboxPurged, deviceId, client, ifMatch, DateTimeOffset.MaxValue, "all that waits", work);

    /// <summary>Deletes what has waited in a mailbox for long</summary>
    /// <remarks>As a job, which does as <c>purge</c> does with the messages that were accepted so long ago.</remarks>
    /// <param name="deviceId" example="c2f8d9a1-7b3e-4c56-b0a4-5e6d7f8091a2">The device's id.</param>
    /// <param name="client">The client's id; needed only where two clients have a device with the same id.</param>
    /// <param name="request">How old.</param>
    /// <param name="ifMatch">Changes it only if it is the one that was read.</param>
    /// <param name="work">What the operation needs.</param>
    private static async Task<Results<Accepted<JobView>, ValidationProblem, ProblemHttpResult>> ExpireAsync(
        Guid deviceId,
        Guid? client,
        ExpireRequest request,
        [FromHeader(Name = "If-Match")] string? ifMatch,
        [AsParameters] CleaningServices work)
    {
        var started = await StartAsync(
            "expire", AuditKind.MailboxExpired, deviceId, client, ifMatch, request.Before(work.Time), request.ToString(), work);
        return started.Result is Accepted<JobView> accepted ? accepted : (ProblemHttpResult)started.Result;
    }

    /// <summary>Deletes what has waited in any mailbox for long</summary>
    /// <remarks>As a job, which goes through the mailboxes one after the other.</remarks>
    /// <param name="request">How old.</param>
    /// <param name="work">What the operation needs.</param>
    private static async Task<Results<Accepted<JobView>, ValidationProblem, ProblemHttpResult>> ExpireAllAsync(
        ExpireRequest request, [AsParameters] CleaningServices work)
    {
        if (!work.Queues.IsReady)
        {
            return AdminResults.Problem(
                StatusCodes.Status503ServiceUnavailable, ProblemCodes.NotReady, "What waits is being counted since the start; try again soon.");
        }

        var before = request.Before(work.Time);
        var origin = work.Context.ToOrigin();
        await work.Audit.WriteAsync(new AuditEvent(AuditKind.MailboxExpired, origin, "all mailboxes", request.ToString()), work.Context.RequestAborted);
        return AdminResults.Accepted(await work.Jobs.StartAsync(
            "expire",
            "all mailboxes",
            origin,
            (progress, cancellationToken) => work.Cleaner.DiscardEverywhereAsync(before, count => progress.Add(count), cancellationToken),
            work.Context.RequestAborted));
    }

    private static async Task<Results<Accepted<JobView>, ProblemHttpResult>> StartAsync(
        string kind, AuditKind audited, Guid deviceId, Guid? client, string? ifMatch, DateTimeOffset before, string what, CleaningServices work)
    {
        if (!DeviceLookup.TryPick(await FindAsync(work.Queues, deviceId), ClientOf, client, out var row, out var problem))
        {
            return problem;
        }

        if (!Precondition.Parse(ifMatch).Holds(TagOf(row)))
        {
            return AdminResults.Stale();
        }

        var target = $"mailbox {row.Device.Device.Value}";
        var origin = work.Context.ToOrigin();
        await work.Audit.WriteAsync(
            new AuditEvent(audited, origin, target, $"client {row.Device.Client.Value}: {what}"), work.Context.RequestAborted);
        return AdminResults.Accepted(await work.Jobs.StartAsync(
            kind,
            target,
            origin,
            (progress, cancellationToken) =>
                work.Cleaner.DiscardAsync(row.Device, before, count => progress.Add(count), cancellationToken),
            work.Context.RequestAborted));
    }

    private static ValueTask<IReadOnlyList<QueueState>> FindAsync(QueueReader queues, Guid deviceId) =>
        queues.FindAsync(new QueueFilter(Device: new DeviceId(deviceId)));

    private static async Task<IReadOnlyList<QueueState>> FindAsync(QueueReader queues, string client, QueueOrder? order)
    {
        var rows = await queues.FindAsync(
            Guid.TryParse(client, out var id) ? new QueueFilter(Client: new ClientId(id)) : new QueueFilter(ClientName: client));
        return order is { } by ? [.. QueueReader.Sort(rows, by)] : rows;
    }

    private static Guid ClientOf(QueueState row) => row.Device.Client.Value;

    // Of the mailbox alone: a device that was removed and added again has another. What waits in it changes by itself.
    private static EntityTag TagOf(QueueState row) => EntityTag.Of(row.Mailbox);
}

/// <summary>What operations need that empty mailboxes.</summary>
internal readonly record struct CleaningServices(
    QueueReader Queues, MailboxCleaner Cleaner, AdminJobs Jobs, IAuditWriter Audit, TimeProvider Time, HttpContext Context);

/// <summary>What is to be deleted.</summary>
/// <param name="OlderThanSeconds" example="1209600">What was accepted so many seconds ago or earlier.</param>
public sealed record ExpireRequest([Required, Range(0, 315_360_000)] long? OlderThanSeconds)
{
    // To the millisecond after, as times are stored: what is just so old goes too.
    internal DateTimeOffset Before(TimeProvider time) => time.GetUtcNow().AddSeconds(-OlderThanSeconds!.Value).AddMilliseconds(1);

    /// <inheritdoc />
    public override string ToString() => FormattableString.Invariant($"older than {OlderThanSeconds} s");
}
