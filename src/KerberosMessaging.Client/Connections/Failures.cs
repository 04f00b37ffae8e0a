using System.Security.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Transport;

namespace KerberosMessaging.Client.Connections;

/// <summary>Turns what the transport throws into what a caller can act on.</summary>
internal static class Failures
{
    private static readonly TimeSpan LongestAdvice = TimeSpan.FromMinutes(1);

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
        ChannelFailure.RefusedByPeer when e.PeerError == ProtocolError.Overloaded => new MessagingException(
            MessagingFailure.TooManyRequests, $"{server} has too many connections or requests; {TryAgain(Believable(e))}", e)
        {
            RetryAfter = Believable(e),
        },
        ChannelFailure.RefusedByPeer => new MessagingException(
            MessagingFailure.Unreachable, $"{server} ended the connection ({e.PeerError})", e)
        {
            RetryAfter = Believable(e),
        },
        _ => new MessagingException(MessagingFailure.Unreachable, $"{server} cannot be reached", e),
    };

    public static MessagingException Translate(RequestRefusedException e)
    {
        var (failure, message) = e.Error switch
        {
            ProtocolError.LoginFailed => (MessagingFailure.LoginFailed, "the name or the password is wrong"),
            ProtocolError.ClientDisabled => (MessagingFailure.ClientDisabled, "the account is disabled"),
            ProtocolError.TooManyRequests => (
                MessagingFailure.TooManyRequests, $"too many failed logins or requests; {TryAgain(e.RetryAfter)}"),
            ProtocolError.TicketRefused or ProtocolError.NotSignedIn => (
                MessagingFailure.NotLoggedIn, "the login has ended or was revoked"),
            ProtocolError.DeviceRefused => (MessagingFailure.DeviceRefused, "the realm refused this device"),
            ProtocolError.UnknownDevice => (MessagingFailure.UnknownDevice, "there is no such device"),
            ProtocolError.UnknownClient => (MessagingFailure.UnknownRecipient, "there is no client of that name"),
            ProtocolError.QuotaExceeded => (
                MessagingFailure.MailboxFull, $"the recipient's mailbox is full; {TryAgain(e.RetryAfter)}"),
            ProtocolError.UnknownBlob => (MessagingFailure.BlobNotFound, "the message server does not have it, or not any more"),
            ProtocolError.BlobTooLarge => (MessagingFailure.BlobTooLarge, "it is larger than the message server takes"),
            ProtocolError.Busy or ProtocolError.ShuttingDown or ProtocolError.Internal => (
                MessagingFailure.Unreachable, "the server is busy, stopping or in trouble"),
            _ => (MessagingFailure.Refused, $"the server refused the request ({e.Error})"),
        };
        return new MessagingException(failure, message, e) { RetryAfter = e.RetryAfter };
    }

    /// <summary>Whether trying again later, on a new connection, can help.</summary>
    public static bool IsWorthRetrying(MessagingException e) =>
        e.Failure is MessagingFailure.Unreachable or MessagingFailure.TooManyRequests;

    /// <summary>Whether a server, or this client itself, decided that a message is not sent, as against that being unknown.</summary>
    public static bool IsRefusal(MessagingException e) => e.Failure
        is MessagingFailure.Refused or MessagingFailure.MailboxFull or MessagingFailure.UnknownRecipient
        or MessagingFailure.RecipientNotReady or MessagingFailure.IdentityChanged or MessagingFailure.NameInvalid;

    public static MessagingException Store(string path, Exception e) => e is CryptographicException
        ? SealedStore(path, e)
        : new MessagingException(MessagingFailure.StoreUnusable, $"the local store '{path}' cannot be used: {e.Message}", e);

    public static MessagingException SealedStore(string path, Exception? e = null) => new(
        MessagingFailure.StoreUnusable, $"the local store '{path}' cannot be opened with this password or key", e);

    // In the handshake anyone on the path can write an error frame, and should not keep a client away for long.
    private static TimeSpan Believable(ChannelException e) => e.RetryAfter < LongestAdvice ? e.RetryAfter : LongestAdvice;

    // Rounded up: who comes back too early waits again, and longer.
    private static string TryAgain(TimeSpan after) =>
        after > TimeSpan.Zero ? $"try again in {Math.Ceiling(after.TotalSeconds):0} s" : "try again later";
}
