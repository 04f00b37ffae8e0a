using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.MessageServer.Realm;

namespace KerberosMessaging.MessageServer.Enrolment;

/// <summary>Enrols the server at its first start. It tries for as long as it takes, so that servers may be started in any order.</summary>
internal sealed partial class FirstEnrolment(
    Enroller enroller,
    Membership membership,
    ReadinessState readiness,
    TimeProvider time,
    ILogger<FirstEnrolment> logger)
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(30);

    /// <summary>Returns once this server is a member of its realm.</summary>
    public async Task RunAsync(CancellationToken stoppingToken)
    {
        for (var delay = FirstDelay; membership.Current is null; delay = Min(delay * 2, LongestDelay))
        {
            try
            {
                await enroller.EnrolAsync(stoppingToken);
                Log.Enrolled(logger, membership.Current!.Server.ToString());
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
