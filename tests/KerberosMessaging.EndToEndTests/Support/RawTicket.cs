using System.Buffers.Binary;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;
using KerberosMessaging.Transport;

namespace KerberosMessaging.EndToEndTests.Support;

/// <summary>A ticket and its session key, as a client holds them.</summary>
internal sealed record RawTicket(byte[] Bytes, SecretBytes SessionKey)
{
    /// <summary>The version of the service key that a service ticket is sealed under, as it states in clear.</summary>
    public uint ServiceKeyVersion => BinaryPrimitives.ReadUInt32BigEndian(Bytes.AsSpan(17));

    /// <summary>The version of the key that a service ticket is signed with, as it states in clear.</summary>
    public uint SigningKeyVersion => BinaryPrimitives.ReadUInt32BigEndian(Bytes.AsSpan(21));

    /// <summary>AP exchange.</summary>
    /// <exception cref="RequestRefusedException">The server refuses the ticket.</exception>
    public Task PresentAsync(RequestConnection connection, CancellationToken cancellationToken)
    {
        var authenticator = Authenticator.For(connection.Channel.ChannelBinding.Span);
        return connection.PresentTicketAsync(
            new PresentTicketRequest(Bytes, authenticator.Seal(SessionKey, MessageCode.PresentTicket)),
            accepted => ApReplyPart.TryOpen(accepted.SealedPart, SessionKey, authenticator.Nonce) is null
                ? null
                : Tickets.SessionKey.ForChannel(SessionKey, authenticator.Nonce),
            cancellationToken);
    }
}
