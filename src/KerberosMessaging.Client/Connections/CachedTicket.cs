using System.Buffers;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;
using KerberosMessaging.Transport;

namespace KerberosMessaging.Client.Connections;

/// <summary>A ticket with its session key, as the cache keeps it.</summary>
internal sealed class CachedTicket(byte[] ticket, SecretBytes sessionKey, TicketTimes times) : IDisposable
{
    public byte[] Ticket { get; } = ticket;

    public SecretBytes SessionKey { get; } = sessionKey;

    public TicketTimes Times { get; } = times;

    /// <summary>When a fresh one should take its place: after four fifths of its life.</summary>
    public DateTimeOffset RenewAt => Times.StartsAt + ((Times.EndsAt - Times.StartsAt) * 0.8);

    public static CachedTicket Import(ReadOnlySpan<byte> exported)
    {
        var reader = new WireReader(exported);
        var ticket = reader.ReadBytes32(ProtocolLimits.TicketBytes);
        var key = new SecretBytes(reader.ReadFixed(Tickets.SessionKey.Size));
        var times = new TicketTimes(reader.ReadTime(), reader.ReadTime(), reader.ReadTime(), reader.ReadTime());
        reader.ExpectEnd();
        return new CachedTicket(ticket, key, times);
    }

    public SecretBytes Export()
    {
        var buffer = new ArrayBufferWriter<byte>(ProtocolLimits.TicketBytes + 128);
        var writer = new WireWriter(buffer);
        writer.WriteBytes32(Ticket);
        writer.WriteFixed(SessionKey.Span, Tickets.SessionKey.Size);
        writer.WriteTime(Times.AuthenticatedAt);
        writer.WriteTime(Times.StartsAt);
        writer.WriteTime(Times.EndsAt);
        writer.WriteTime(Times.RenewableUntil);
        var exported = new SecretBytes(buffer.WrittenSpan);
        buffer.Clear();
        return exported;
    }

    /// <summary>An authenticator for one request on one channel.</summary>
    public byte[] Authenticate(SecureChannel channel, MessageCode request) =>
        Authenticator.For(channel.ChannelBinding.Span).Seal(SessionKey, request);

    /// <summary>AP exchange: presents the ticket, checks the server's proof, and mixes the session key into the channel.</summary>
    public async Task PresentAsync(RequestConnection connection, CancellationToken cancellationToken)
    {
        var authenticator = Authenticator.For(connection.Channel.ChannelBinding.Span);
        await connection.PresentTicketAsync(
            new PresentTicketRequest(Ticket, authenticator.Seal(SessionKey, PresentTicketRequest.Code)),
            accepted => ApReplyPart.TryOpen(accepted.SealedPart, SessionKey, authenticator.Nonce) is null
                ? null
                : Tickets.SessionKey.ForChannel(SessionKey, authenticator.Nonce),
            cancellationToken).ConfigureAwait(false);
    }

    public void Dispose() => SessionKey.Dispose();
}
