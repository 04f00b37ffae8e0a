using KerberosMessaging.Hosting.Audit;

namespace KerberosMessaging.AuthServer.Persistence;

/// <summary>Adds rows that go with no change of the database.</summary>
internal sealed class AuditWriter(AuthWriter writer) : IAuditWriter
{
    public Task WriteAsync(AuditEvent happened, CancellationToken cancellationToken) =>
        writer.WriteAsync(scope => scope.Audit(happened), cancellationToken);
}
