using KerberosMessaging.Protocol;
using KerberosMessaging.Transport;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Wire;

/// <summary>Finds peers that have gone without a word: one timer for all connections, which only look and count.</summary>
internal sealed class KeepAliveService(
    ConnectionRegistry registry,
    IOptions<WireOptions> options,
    ServerMetrics metrics,
    TimeProvider time,
    ILogger<KeepAliveService> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Value.PingAfterSeconds == 0)
        {
            return;
        }

        var keepAlive = new KeepAlive(
            TimeSpan.FromSeconds(options.Value.PingAfterSeconds), TimeSpan.FromSeconds(options.Value.DeadAfterSeconds));
        try
        {
            while (true)
            {
                // Each interval begins where the last was noticed: a clock that leaps, or a stall of this process, is one interval.
                await Task.Delay(keepAlive.Interval, time, stoppingToken);
                foreach (var connection in registry.All)
                {
                    if (connection.Watch(keepAlive) == KeepAliveStep.End)
                    {
                        WireLog.PeerSilent(logger, connection.ConnectionId);
                        metrics.ErrorSent(ProtocolError.TimedOut);
                    }
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops.
        }
    }
}
