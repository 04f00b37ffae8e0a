namespace KerberosMessaging.Protocol;

/// <summary>The peer broke the protocol; the connection ends with an error frame that carries <see cref="Error"/>.</summary>
public sealed class ProtocolException : Exception
{
    /// <summary>Makes an exception for one code of the closed list.</summary>
    /// <param name="error">What goes on the wire.</param>
    /// <param name="reason">What goes to the log: a fixed text, never bytes that the peer sent.</param>
    public ProtocolException(ProtocolError error, string reason)
        : base(reason) => Error = error;

    /// <summary>The code for the error frame.</summary>
    public ProtocolError Error { get; }
}
