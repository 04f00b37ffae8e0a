namespace KerberosMessaging.Hosting.Health;

/// <summary>Writes to a server's database in the way that the server itself does.</summary>
public interface IDatabaseProbe
{
    /// <summary>Writes something that changes nothing, and returns when it is on disk.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="Exception">It could not be written.</exception>
    Task WriteAsync(CancellationToken cancellationToken);
}
