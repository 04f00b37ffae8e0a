using System.Security.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Transport;

namespace KerberosMessaging.Client.Connections;

/// <summary>Turns what the transport throws into what a caller can act on.</summary>
internal static class Failures
{
    public static async Task<T> TranslateAsync<T>(string server, Func<Task<T>> operation)
    {
        try
        {
            return await operation().ConfigureAwait(false);
        }
        catch (ChannelException e)
        {
            throw Translate(e, server);
        }
        catch (RequestRefusedException e)
        {
            throw Translate(e);
        }
        catch (ProtocolException e)
        {
            throw new MessagingException(MessagingFailure.Unreachable, $"{server} sent something that breaks the protocol", e);
        }
    }

    public static MessagingException Translate(ChannelException e, string server) => e.Failure switch
    {
        ChannelFailure.UntrustedServer => new MessagingException(
            MessagingFailure.UntrustedServer, $"{server} proved another key than the one expected; nothing was sent to it", e),
        ChannelFailure.HandshakeFailed => new MessagingException(
            MessagingFailure.UntrustedServer, $"the handshake with {server} did not verify", e),
        ChannelFailure.RefusedByPeer when e.PeerError == ProtocolError.SessionEnded => new MessagingException(
            MessagingFailure.NotLoggedIn, "the session ended", e),
        ChannelFailure.RefusedByPeer => new MessagingException(
            MessagingFailure.Unreachable, $"{server} ended the connection ({e.PeerError})", e),
        _ => new MessagingException(MessagingFailure.Unreachable, $"{server} cannot be reached", e),
    };

    public static MessagingException Translate(RequestRefusedException e) => e.Error switch
    {
        ProtocolError.LoginFailed => new MessagingException(MessagingFailure.LoginFailed, "the name or the password is wrong", e),
        ProtocolError.TicketRefused or ProtocolError.NotSignedIn => new MessagingException(
            MessagingFailure.NotLoggedIn, "the login has ended or was revoked", e),
        ProtocolError.DeviceRefused => new MessagingException(MessagingFailure.DeviceRefused, "the realm refused this device", e),
        ProtocolError.UnknownClient => new MessagingException(MessagingFailure.UnknownRecipient, "there is no client of that name", e),
        ProtocolError.QuotaExceeded => new MessagingException(
            MessagingFailure.MailboxFull, $"the recipient's mailbox is full; try again in {e.RetryAfter.TotalSeconds:0} s", e),
        ProtocolError.Busy or ProtocolError.ShuttingDown or ProtocolError.Internal => new MessagingException(
            MessagingFailure.Unreachable, "the server is busy, stopping or in trouble", e),
        _ => new MessagingException(MessagingFailure.Refused, $"the server refused the request ({e.Error})", e),
    };

    /// <summary>Whether trying again on a new connection can help.</summary>
    public static bool IsWorthRetrying(MessagingException e) => e.Failure == MessagingFailure.Unreachable;

    /// <summary>Whether a server, or this client itself, decided that a message is not sent, as against that being unknown.</summary>
    public static bool IsRefusal(MessagingException e) => e.Failure
        is MessagingFailure.Refused or MessagingFailure.MailboxFull or MessagingFailure.UnknownRecipient
        or MessagingFailure.RecipientNotReady or MessagingFailure.IdentityChanged or MessagingFailure.NameInvalid;

    public static MessagingException Store(string path, Exception e) => new(
        MessagingFailure.StoreUnusable,
        e is CryptographicException
            ? $"the local store '{path}' cannot be opened with this password or key"
            : $"the local store '{path}' cannot be used: {e.Message}",
        e);
}
