using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets;

/// <summary>The client's part of a service ticket, sealed under the ticket-granting ticket's session key.</summary>
public sealed class TgsReplyPart : IDisposable
{
    /// <summary>The service ticket's session key, 32 bytes.</summary>
    public required SecretBytes SessionKey { get; init; }

    /// <summary>The message server that the ticket is for.</summary>
    public required ServerId Server { get; init; }

    /// <summary>The auth server's clock.</summary>
    public required DateTimeOffset ServerTime { get; init; }

    /// <summary>The ticket's times.</summary>
    public required TicketTimes Times { get; init; }

    /// <summary>Zeroes the session key.</summary>
    public void Dispose() => SessionKey.Dispose();

    /// <summary>Seals the part.</summary>
    /// <param name="key">The ticket-granting ticket's session key.</param>
    /// <param name="ticket">The service ticket that the part goes with: bound in as associated data.</param>
    public byte[] Seal(SecretBytes key, ReadOnlySpan<byte> ticket)
    {
        using var buffer = SealedWriter.Rent();
        var writer = new WireWriter(buffer);
        writer.WriteFixed(SessionKey.Span, Tickets.SessionKey.Size);
        writer.WriteId(Server.Value);
        writer.WriteTime(ServerTime);
        Times.Write(writer);
        return TicketKeys.Seal(key.Span, TicketKeys.TgsReply, buffer.Written, ticket);
    }

    /// <summary>Opens a part; null when it does not verify.</summary>
    /// <param name="sealedPart">As received.</param>
    /// <param name="key">The ticket-granting ticket's session key.</param>
    /// <param name="ticket">The service ticket that came with it.</param>
    public static TgsReplyPart? TryOpen(ReadOnlySpan<byte> sealedPart, SecretBytes key, ReadOnlySpan<byte> ticket) =>
        SealedPart.TryOpen(key.Span, TicketKeys.TgsReply, sealedPart, ticket, Read);

    private static TgsReplyPart Read(ref WireReader reader) => new()
    {
        SessionKey = SealedPart.ReadSecret(ref reader, Tickets.SessionKey.Size),
        Server = new ServerId(reader.ReadId()),
        ServerTime = reader.ReadTime(),
        Times = TicketTimes.Read(ref reader),
    };
}
