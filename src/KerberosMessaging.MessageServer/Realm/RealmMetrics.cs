using System.Diagnostics;
using KerberosMessaging.Hosting.Telemetry;

namespace KerberosMessaging.MessageServer.Realm;

/// <summary>The connection to the auth server: whether it is there, how often it was made, and how long that took.</summary>
internal sealed class RealmMetrics
{
    private readonly ActivitySource _source;
    private readonly ClosedCounter _connects;
    private volatile bool _isUp;

    public RealmMetrics(ServerTelemetry telemetry)
    {
        _source = telemetry.Source;
        _connects = new ClosedCounter(
            telemetry.Meter, "kmsg.realm.link.connects", "{connection}", "Tries to connect to the auth server; the first is no reconnect.");
        telemetry.Meter.CreateObservableGauge(
            "kmsg.realm.link.up", () => _isUp ? 1 : 0, "{connection}", "1 while revocations are followed at the auth server, 0 otherwise.");
    }

    /// <summary>Whether the auth server is reached: revocations are followed.</summary>
    public bool IsUp => _isUp;

    /// <summary>A try begins; its span, null where nobody listens, ends when it is up or has failed.</summary>
    public Activity? Connect()
    {
        _connects.Add();
        return _source.HasListeners() ? _source.StartActivity("kmsg.realm.connect", ActivityKind.Client) : null;
    }

    public void Up() => _isUp = true;

    public void Down() => _isUp = false;
}
