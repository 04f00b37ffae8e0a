using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Transport;

/// <summary>Why a channel could not be opened or did not last, as its user sees it.</summary>
public enum ChannelFailure
{
    /// <summary>The connection ended or could not be made.</summary>
    ConnectionLost,

    /// <summary>The handshake did not verify. One reason for every cause.</summary>
    HandshakeFailed,

    /// <summary>The server proved a signing key that is not the expected one.</summary>
    UntrustedServer,

    /// <summary>The peer ended the connection with an error frame; see <see cref="ChannelException.PeerError"/>.</summary>
    RefusedByPeer,
}

/// <summary>A channel could not be opened or did not last.</summary>
public sealed class ChannelException : Exception
{
    /// <summary>Makes an exception.</summary>
    /// <param name="failure">The kind.</param>
    /// <param name="message">A fixed text.</param>
    /// <param name="inner">The cause, where there is one.</param>
    public ChannelException(ChannelFailure failure, string message, Exception? inner = null)
        : base(message, inner) => Failure = failure;

    /// <summary>Makes an exception for an error frame from the peer.</summary>
    /// <param name="error">Its code.</param>
    /// <param name="retryAfter">Its advice; zero for none.</param>
    public ChannelException(ProtocolError error, TimeSpan retryAfter = default)
        : base($"The peer ended the connection: {error}.")
    {
        Failure = ChannelFailure.RefusedByPeer;
        PeerError = error;
        RetryAfter = retryAfter;
    }

    /// <summary>The kind of failure.</summary>
    public ChannelFailure Failure { get; }

    /// <summary>The code of the peer's error frame, when <see cref="Failure"/> is <see cref="ChannelFailure.RefusedByPeer"/>.</summary>
    public ProtocolError? PeerError { get; }

    /// <summary>When a retry makes sense, as the peer's error frame says; zero for no advice.</summary>
    public TimeSpan RetryAfter { get; }

    internal static ChannelException Of(ErrorReply error) =>
        new(error.Error, TimeSpan.FromMilliseconds(error.RetryAfterMilliseconds));
}
