using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;
using KerberosMessaging.Transport;

namespace KerberosMessaging.Benchmarks.Servers;

/// <summary>A ticket with its session key.</summary>
internal sealed record HeldTicket(byte[] Ticket, SecretBytes SessionKey) : IDisposable
{
    /// <summary>AP exchange on an open channel to the ticket's server, which must prove that it opened the ticket.</summary>
    public Task PresentAsync(RequestConnection connection, CancellationToken cancellationToken)
    {
        var authenticator = Authenticator.For(connection.Channel.ChannelBinding.Span);
        return connection.PresentTicketAsync(
            new PresentTicketRequest(Ticket, authenticator.Seal(SessionKey, PresentTicketRequest.Code)),
            accepted => ApReplyPart.TryOpen(accepted.SealedPart, SessionKey, authenticator.Nonce) is null
                ? null
                : Tickets.SessionKey.ForChannel(SessionKey, authenticator.Nonce),
            cancellationToken);
    }

    public void Dispose() => SessionKey.Dispose();
}
