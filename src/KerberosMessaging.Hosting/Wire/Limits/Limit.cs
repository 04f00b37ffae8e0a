namespace KerberosMessaging.Hosting.Wire.Limits;

/// <summary>Which limit refused a connection or a request.</summary>
internal enum Limit
{
    Connections,
    ConnectionsPerAddress,
    Handshakes,
    HandshakesPerAddress,
    NotSignedIn,
    NotSignedInPerAddress,
    ConnectionRate,
    ConnectionRatePerAddress,
    RequestsPerClient,
    RequestsPerAddress,
}

/// <summary>A refusal: the limit, and when to try again.</summary>
internal readonly record struct LimitRefusal(Limit Limit, TimeSpan RetryAfter);
