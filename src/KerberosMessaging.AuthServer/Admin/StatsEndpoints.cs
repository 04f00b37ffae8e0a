using System.Reflection;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.Hosting.Admin.Access;
using KerberosMessaging.Hosting.Wire;
using Microsoft.AspNetCore.Http.HttpResults;

namespace KerberosMessaging.AuthServer.Admin;

/// <summary>The auth server in numbers.</summary>
/// <param name="Clients" example="1200">Clients that are not deleted, disabled ones among them.</param>
/// <param name="DisabledClients" example="3">Clients that may not log in.</param>
/// <param name="Devices" example="2100">Active devices.</param>
/// <param name="LivingSessions" example="900">Sessions that are neither revoked nor expired.</param>
/// <param name="MessageServers" example="2">Message servers that get tickets.</param>
/// <param name="Connections" example="40">Open connections of clients and message servers.</param>
/// <param name="LoginsLastMinute" example="12">Logins of the last minute.</param>
/// <param name="FailedLoginsLastMinute" example="1">Logins that failed in the last minute.</param>
/// <param name="Lockouts" example="0">Names and addresses of which no try is taken now.</param>
/// <param name="AuditEvents" example="40210">Rows of the audit log.</param>
/// <param name="StartedAt" example="2026-05-04T08:00:00Z">When the server started.</param>
/// <param name="Version" example="1.0.0">The server's version.</param>
internal sealed record StatsView(
    int Clients,
    int DisabledClients,
    int Devices,
    int LivingSessions,
    int MessageServers,
    int Connections,
    int LoginsLastMinute,
    int FailedLoginsLastMinute,
    int Lockouts,
    long AuditEvents,
    DateTimeOffset StartedAt,
    string Version);

internal static class StatsEndpoints
{
    private static readonly string Version =
        typeof(StatsEndpoints).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    public static void Map(RouteGroupBuilder admin) =>
        admin.MapGet("/stats", GetAsync).WithTags("Statistics").RequireScope(AdminScope.MetricsRead);

    /// <summary>Shows the server in numbers</summary>
    /// <remarks>What is counted in the database may be two seconds old.</remarks>
    /// <param name="statistics">The numbers.</param>
    /// <param name="connections">The open connections.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Ok<StatsView>> GetAsync(
        RealmStatistics statistics, ConnectionRegistry connections, CancellationToken cancellationToken)
    {
        var counts = await statistics.CountAsync(cancellationToken);
        return TypedResults.Ok(new StatsView(
            counts.Clients,
            counts.DisabledClients,
            counts.Devices,
            counts.LivingSessions,
            counts.MessageServers,
            connections.Count,
            counts.LoginsLastMinute,
            counts.FailedLoginsLastMinute,
            counts.Lockouts,
            counts.AuditEvents,
            statistics.StartedAt,
            Version));
    }
}
