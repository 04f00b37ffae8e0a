using KerberosMessaging.Protocol;

namespace KerberosMessaging.Transport;

/// <summary>The peer answered a request with an error frame (1609); the connection may go on.</summary>
public sealed class RequestRefusedException : Exception
{
    /// <summary>Makes an exception for one error frame.</summary>
    /// <param name="error">Its code.</param>
    /// <param name="retryAfter">Its advice; zero for none.</param>
    public RequestRefusedException(ProtocolError error, TimeSpan retryAfter)
        : base($"The request was refused: {error}.")
    {
        Error = error;
        RetryAfter = retryAfter;
    }

    /// <summary>The code of the error frame.</summary>
    public ProtocolError Error { get; }

    /// <summary>When a retry makes sense; zero for no advice.</summary>
    public TimeSpan RetryAfter { get; }
}
