using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.MessageServer.Enrolment;

namespace KerberosMessaging.MessageServer.Realm;

/// <summary>
/// This server's dealings with its realm: enrols at the first start, and then keeps a connection. The server is ready as soon
/// as it is enrolled, whether or not the auth server is there.
/// </summary>
internal sealed class RealmService(
    FirstEnrolment enrolment, RealmLink link, ReadinessState readiness, IHostApplicationLifetime lifetime) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            // The port that clients are told may be known only once it is bound.
            await StartedAsync(stoppingToken);
            await enrolment.RunAsync(stoppingToken);
            readiness.SetReady();
            await link.RunAsync(stoppingToken);
        }
        catch (Exception) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops, and what is under way breaks off in whatever way; the next start goes on from here.
        }
    }

    private async Task StartedAsync(CancellationToken stoppingToken)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(stoppingToken);
    }
}
