using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace KerberosMessaging.Hosting.Telemetry;

/// <summary>
/// What a server measures with and traces with, under a name of its own: both servers may run in one process, and neither must
/// show the other's figures as its own.
/// </summary>
public sealed class ServerTelemetry : IDisposable
{
    /// <summary>The name where a server gives itself none.</summary>
    public const string DefaultName = "KerberosMessaging";

    /// <summary>Makes meter and source.</summary>
    /// <param name="name">The name of both.</param>
    /// <param name="meters">Owns the meter.</param>
    public ServerTelemetry(string name, IMeterFactory meters)
    {
        ArgumentNullException.ThrowIfNull(meters);
        Name = name;
        Meter = meters.Create(name);
        Source = new ActivitySource(name);
    }

    /// <summary>The name of meter and source.</summary>
    public string Name { get; }

    /// <summary>Every instrument of the server is of this meter.</summary>
    public Meter Meter { get; }

    /// <summary>Every span of the server is of this source; none is made where nobody listens.</summary>
    public ActivitySource Source { get; }

    /// <inheritdoc />
    public void Dispose() => Source.Dispose();
}
