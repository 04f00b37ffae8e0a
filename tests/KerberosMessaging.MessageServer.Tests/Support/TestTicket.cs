using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;
using KerberosMessaging.Transport;

namespace KerberosMessaging.MessageServer.Tests.Support;

/// <summary>A ticket and its session key, as a client holds them.</summary>
internal sealed record TestTicket(byte[] Bytes, SecretBytes SessionKey)
{
    /// <summary>Presents the ticket as it should be.</summary>
    public Task PresentAsync(RequestConnection connection, CancellationToken cancellationToken)
    {
        var authenticator = Authenticator.For(connection.Channel.ChannelBinding.Span);
        return PresentAsync(connection, authenticator, authenticator.Seal(SessionKey, MessageCode.PresentTicket), cancellationToken);
    }

    /// <summary>Presents the ticket with an authenticator that may be another channel's.</summary>
    public Task PresentAsync(
        RequestConnection connection, Authenticator authenticator, byte[] sealedAuthenticator, CancellationToken cancellationToken) =>
        connection.PresentTicketAsync(
            new PresentTicketRequest(Bytes, sealedAuthenticator),
            accepted => ApReplyPart.TryOpen(accepted.SealedPart, SessionKey, authenticator.Nonce) is null
                ? null
                : Tickets.SessionKey.ForChannel(SessionKey, authenticator.Nonce),
            cancellationToken);
}
