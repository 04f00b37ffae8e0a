namespace KerberosMessaging.Hosting.Wire;

/// <summary>What a server does with connections.</summary>
public enum DrainState
{
    /// <summary>It takes them.</summary>
    Serving,

    /// <summary>It turns new ones away, and the open ones finish.</summary>
    Draining,

    /// <summary>It turns new ones away, and none is open.</summary>
    Drained,

    /// <summary>The process stops.</summary>
    Stopping,
}
