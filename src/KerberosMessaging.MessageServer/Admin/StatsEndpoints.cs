using System.Reflection;
using KerberosMessaging.Hosting.Admin.Access;
using Microsoft.AspNetCore.Http.HttpResults;

namespace KerberosMessaging.MessageServer.Admin;

internal static class StatsEndpoints
{
    public static void Map(RouteGroupBuilder admin) => admin.MapGet("/stats", ReadAsync).WithTags("Statistics").RequireScope(AdminScope.MetricsRead);

    /// <summary>Tells how much is going on</summary>
    /// <remarks>Cheap enough to be asked every second; figures that are read from the disk are up to five seconds old.</remarks>
    /// <param name="stats">The figures.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Ok<StatsView>> ReadAsync(StatsReader stats, CancellationToken cancellationToken) =>
        TypedResults.Ok(await stats.ReadAsync(cancellationToken));
}

/// <summary>How much is going on.</summary>
/// <param name="Connections" example="120">Open connections.</param>
/// <param name="SignedIn" example="118">Those of them that have presented a ticket.</param>
/// <param name="MessagesPerSecond" example="42.5">Messages accepted a second, over the last ten.</param>
/// <param name="MessagesAccepted" example="1048576">Messages accepted since the start.</param>
/// <param name="MessagesDelivered" example="1048000">Messages that devices acknowledged since the start; one message may be for several devices.</param>
/// <param name="Mailboxes" example="350">Mailboxes, one for each device.</param>
/// <param name="QueueDepth" example="576">Messages that wait in all mailboxes, in memory and on disk; null while they are counted after a start.</param>
/// <param name="QueueBytes" example="294912">How many bytes they have; null while they are counted after a start.</param>
/// <param name="OldestMessageAt" example="2026-05-04T08:15:30Z">When the one that waits longest was accepted; null when none waits.</param>
/// <param name="Blobs" example="12">Complete blobs.</param>
/// <param name="BlobBytes" example="73400320">How many bytes they have.</param>
/// <param name="DatabaseBytes" example="52428800">How many bytes of the database are in use.</param>
/// <param name="AuthServerReachable" example="true">Whether the auth server is connected, so that revocations take effect at once.</param>
/// <param name="StartedAt" example="2026-05-04T08:00:00Z">When the server started.</param>
/// <param name="Version" example="1.0.0">The server's version.</param>
internal sealed record StatsView(
    int Connections,
    int SignedIn,
    double MessagesPerSecond,
    long MessagesAccepted,
    long MessagesDelivered,
    long Mailboxes,
    long? QueueDepth,
    long? QueueBytes,
    DateTimeOffset? OldestMessageAt,
    long Blobs,
    long BlobBytes,
    long DatabaseBytes,
    bool AuthServerReachable,
    DateTimeOffset StartedAt,
    string Version)
{
    /// <summary>Of this build, without what it was built from.</summary>
    public static string OwnVersion { get; } =
        (typeof(StatsView).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown").Split('+')[0];
}
