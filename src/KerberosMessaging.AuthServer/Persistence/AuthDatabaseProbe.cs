using KerberosMessaging.Hosting.Health;

namespace KerberosMessaging.AuthServer.Persistence;

/// <summary>Writes a number that nothing else uses, in the order of all writes.</summary>
internal sealed class AuthDatabaseProbe(AuthWriter writer) : IDatabaseProbe
{
    private int _odd;

    // Another number each time: what is there already would not be written.
    public Task WriteAsync(CancellationToken cancellationToken) => writer.WriteAsync(
        scope => scope.Execute((_odd ^= 1) == 0 ? "PRAGMA user_version = 2" : "PRAGMA user_version = 1"), cancellationToken);
}
