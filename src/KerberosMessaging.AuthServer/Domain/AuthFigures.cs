using System.Diagnostics.Metrics;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Telemetry;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>What the database holds, in numbers.</summary>
internal sealed class AuthFigures
{
    private readonly IServiceScopeFactory _scopes;
    private readonly TimeProvider _time;
    private readonly SampledFigures<Sample> _figures;

    public AuthFigures(ServerTelemetry telemetry, IServiceScopeFactory scopes, TimeProvider time)
    {
        _scopes = scopes;
        _time = time;
        _figures = new SampledFigures<Sample>(LookAsync, time);
        Gauge(telemetry.Meter, "kmsg.clients", "{client}", "Clients that are not deleted.", static sample => sample.Clients);
        Gauge(telemetry.Meter, "kmsg.sessions.living", "{session}", "Sessions whose tickets are good.", static sample => sample.Sessions);
        telemetry.Meter.CreateObservableGauge(
            "kmsg.key.age",
            () => _figures.Read() is { } sample
                ? sample.Keys.Select(static key => new Measurement<double>(key.Age.TotalSeconds, new KeyValuePair<string, object?>("key", key.Name)))
                : [],
            "s",
            "Age of the newest version of each key; of the message servers' keys that of the oldest.");
    }

    private void Gauge(Meter meter, string name, string unit, string description, Func<Sample, long> value) => meter.CreateObservableGauge(
        name, () => _figures.Read() is { } sample ? [new Measurement<long>(value(sample))] : Array.Empty<Measurement<long>>(), unit, description);

    private async Task<Sample> LookAsync(CancellationToken cancellationToken)
    {
        await using var scope = _scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<AuthDbContext>();
        var now = _time.GetUtcNow();
        return new Sample(
            await database.Clients.LongCountAsync(static row => row.DeletedAt == null, cancellationToken),
            await database.Sessions.LongCountAsync(row => row.RevokedAt == null && row.ExpiresAt > now, cancellationToken),
            [.. (await KeyAge.ReadAsync(database, now, cancellationToken)).OrderBy(static key => key.Name, StringComparer.Ordinal)]);
    }

    private sealed record Sample(long Clients, long Sessions, IReadOnlyList<KeyAge> Keys);
}

/// <summary>How long ago the newest version of a key was made.</summary>
internal readonly record struct KeyAge(string Name, TimeSpan Age)
{
    public const string Ticket = "ticket";
    public const string TicketSigning = "ticket_signing";
    public const string Opaque = "opaque";
    public const string Service = "service";

    public static async Task<IReadOnlyList<KeyAge>> ReadAsync(AuthDbContext database, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var realm = await database.RealmKeys
            .GroupBy(static row => row.Purpose)
            .Select(static rows => new { Purpose = rows.Key, NewestAt = rows.Max(row => row.CreatedAt) })
            .ToListAsync(cancellationToken);
        var ages = new List<KeyAge>();
        foreach (var key in realm)
        {
            if (NameOf(key.Purpose) is { } name)
            {
                ages.Add(new KeyAge(name, now - key.NewestAt));
            }
        }

        var servers = await database.ServiceKeys
            .Where(key => database.MessageServers.Any(server => server.Id == key.ServerId && server.DisabledAt == null))
            .GroupBy(static row => row.ServerId)
            .Select(static rows => rows.Max(row => row.CreatedAt))
            .ToListAsync(cancellationToken);
        if (servers.Count > 0)
        {
            ages.Add(new KeyAge(Service, now - servers.Min()));
        }

        return ages;
    }

    private static string? NameOf(RealmKeyPurpose purpose) => purpose switch
    {
        RealmKeyPurpose.Ticket => Ticket,
        RealmKeyPurpose.TicketSigning => TicketSigning,
        RealmKeyPurpose.OprfSeed => Opaque,
        _ => null,
    };
}
