namespace KerberosMessaging.Hosting.Wire;

/// <summary>Which connections may send a request.</summary>
public enum RequestAccess
{
    /// <summary>Any channel.</summary>
    Anyone,

    /// <summary>A channel with a completed login or a presented ticket.</summary>
    SignedIn,
}
