namespace KerberosMessaging.EndToEndTests.Support;

/// <summary>A server of a realm, started: in this process or in one of its own.</summary>
internal interface IRealmServer : IAsyncDisposable
{
    /// <summary>Where clients connect.</summary>
    int Port { get; }

    /// <summary>Stops it in good order, and returns once it has ended.</summary>
    Task StopAsync(CancellationToken cancellationToken);

    /// <summary>Ends it at once. In this process that cannot be done, and it is stopped.</summary>
    Task KillAsync();
}
