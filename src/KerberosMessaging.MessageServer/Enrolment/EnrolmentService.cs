using System.Data.Common;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Persistence;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.MessageServer.Enrolment;

/// <summary>
/// Makes the server ready: at once when it is enrolled, otherwise as soon as the auth server has taken it in. It tries for
/// as long as it takes, so that servers may be started in any order.
/// </summary>
internal sealed partial class EnrolmentService(
    EnrolmentClient client,
    ServerIdentityStore store,
    Membership membership,
    WireListener listener,
    ReadinessState readiness,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<EnrolmentService> logger) : BackgroundService
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            // The port that clients are told may be known only once it is bound.
            await StartedAsync(stoppingToken);
            if (!membership.IsKnown)
            {
                await EnrolAsync(stoppingToken);
            }

            readiness.SetReady();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops; the next start tries again.
        }
    }

    private async Task StartedAsync(CancellationToken stoppingToken)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(stoppingToken);
    }

    private async Task EnrolAsync(CancellationToken stoppingToken)
    {
        // One key for all tries: if a reply is lost, the auth server can see that the same server asks again.
        var signingKey = Ed25519PrivateKey.Generate();
        EnrolledServer? enrolled = null;
        for (var delay = FirstDelay; ; delay = Min(delay * 2, LongestDelay))
        {
            try
            {
                // The token is spent once the auth server has answered: what it gave is kept until it is stored.
                enrolled ??= await client.EnrolAsync(signingKey, listener.EndPoint.Port, stoppingToken);
                await SaveAsync(enrolled, stoppingToken);
                membership.Assume(enrolled);
                Log.Enrolled(logger, enrolled.Server.ToString());
                return;
            }
            catch (EnrolmentException e)
            {
                // The clock runs before anybody is told when the next try is.
                delay = e.NeedsOperator ? LongestDelay : delay;
                var pause = Task.Delay(delay, time, stoppingToken);
                Tell(e, delay);
                await pause;
            }
        }
    }

    private async Task SaveAsync(EnrolledServer enrolled, CancellationToken stoppingToken)
    {
        try
        {
            await store.SaveAsync(enrolled, stoppingToken);
        }
        catch (Exception e) when (e is DbException or DbUpdateException)
        {
            throw new EnrolmentException($"the keys could not be stored: {e.GetBaseException().Message}", needsOperator: false, e);
        }
    }

    private void Tell(EnrolmentException e, TimeSpan delay)
    {
        readiness.SetNotReady($"Not enrolled in the realm yet: {e.Message}.");
        if (e.NeedsOperator)
        {
            Log.Refused(logger, e.Message, delay.TotalSeconds);
        }
        else
        {
            Log.Later(logger, e.Message, delay.TotalSeconds);
        }
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static partial class Log
    {
        [LoggerMessage(3201, LogLevel.Information, "Enrolled in the realm as server {Server}.")]
        public static partial void Enrolled(ILogger logger, string server);

        [LoggerMessage(3202, LogLevel.Warning, "Not enrolled yet: {Reason}. The next try is in {Seconds} s.")]
        public static partial void Later(ILogger logger, string reason, double seconds);

        [LoggerMessage(3203, LogLevel.Error, "Not enrolled: {Reason}. The next try is in {Seconds} s.")]
        public static partial void Refused(ILogger logger, string reason, double seconds);
    }
}
