namespace KerberosMessaging.Hosting.Audit;

/// <summary>Writes the audit log of this server.</summary>
public interface IAuditWriter
{
    /// <summary>Adds a row, and returns when it is on disk.</summary>
    /// <param name="happened">What happened.</param>
    /// <param name="cancellationToken">Ends the wait for a place in the queue; what has its place is written.</param>
    /// <exception cref="System.Data.Common.DbException">The database cannot be written.</exception>
    Task WriteAsync(AuditEvent happened, CancellationToken cancellationToken);
}
