using KerberosMessaging.Hosting.Audit;

namespace KerberosMessaging.MessageServer.Persistence;

/// <summary>Writes security events to the log.</summary>
internal sealed partial class LogAudit(ILogger<LogAudit> logger) : IAuditWriter
{
    public Task WriteAsync(AuditEvent happened, CancellationToken cancellationToken)
    {
        Log.Happened(logger, happened.Kind, happened.Target);
        return Task.CompletedTask;
    }

    private static partial class Log
    {
        [LoggerMessage(3901, LogLevel.Information, "{Kind}: {Target}.")]
        public static partial void Happened(ILogger logger, AuditKind kind, string target);
    }
}
