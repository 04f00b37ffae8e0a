namespace KerberosMessaging.Hosting.Wire;

/// <summary>Which connections may send a request.</summary>
public enum RequestAccess
{
    /// <summary>Any channel.</summary>
    Anyone,

    /// <summary>A client's channel: one with a completed login or a presented ticket.</summary>
    SignedIn,

    /// <summary>A message server's channel: one on which it proved the key that it was enrolled with.</summary>
    EnrolledServer,
}
