using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets;

/// <summary>
/// The client's part of a granted ticket-granting ticket (RFC 4120, section 5.4.2 EncKDCRepPart): sealed under the OPAQUE
/// session key at login, and under the old ticket's session key at renewal.
/// </summary>
public sealed class AsReplyPart : IDisposable
{
    /// <summary>The new ticket's session key, 32 bytes.</summary>
    public required SecretBytes SessionKey { get; init; }

    /// <summary>The session row behind the ticket.</summary>
    public required SessionId Session { get; init; }

    /// <summary>The client's id.</summary>
    public required ClientId Client { get; init; }

    /// <summary>The client's name as registered.</summary>
    public required string ClientName { get; init; }

    /// <summary>The auth server's clock.</summary>
    public required DateTimeOffset ServerTime { get; init; }

    /// <summary>The ticket's times.</summary>
    public required TicketTimes Times { get; init; }

    /// <summary>The device's certificate, signed by the realm.</summary>
    public required byte[] Certificate { get; init; }

    /// <summary>Whether the realm asks the client to store a new record for the same password, for stronger stretching or newer OPAQUE keys.</summary>
    public bool WantsNewRecord { get; init; }

    /// <summary>Zeroes the session key.</summary>
    public void Dispose() => SessionKey.Dispose();

    /// <summary>Seals the part.</summary>
    /// <param name="key">The OPAQUE session key (64 bytes), or the old ticket's session key (32 bytes).</param>
    /// <param name="ticket">The ticket that the part goes with: bound in as associated data.</param>
    public byte[] Seal(SecretBytes key, ReadOnlySpan<byte> ticket)
    {
        using var buffer = SealedWriter.Rent();
        var writer = new WireWriter(buffer);
        writer.WriteFixed(SessionKey.Span, Tickets.SessionKey.Size);
        writer.WriteId(Session.Value);
        writer.WriteId(Client.Value);
        writer.WriteText(ClientName);
        writer.WriteTime(ServerTime);
        Times.Write(writer);
        writer.WriteBytes16(Certificate);
        writer.WriteFlag(WantsNewRecord);
        return TicketKeys.Seal(key.Span, TicketKeys.AsReply, buffer.Written, ticket);
    }

    /// <summary>Opens a part; null when it does not verify.</summary>
    /// <param name="sealedPart">As received.</param>
    /// <param name="key">The key it was sealed under.</param>
    /// <param name="ticket">The ticket that came with it.</param>
    public static AsReplyPart? TryOpen(ReadOnlySpan<byte> sealedPart, SecretBytes key, ReadOnlySpan<byte> ticket) =>
        SealedPart.TryOpen(key.Span, TicketKeys.AsReply, sealedPart, ticket, Read);

    private static AsReplyPart Read(ref WireReader reader) => new()
    {
        SessionKey = SealedPart.ReadSecret(ref reader, Tickets.SessionKey.Size),
        Session = new SessionId(reader.ReadId()),
        Client = new ClientId(reader.ReadId()),
        ClientName = reader.ReadText(ProtocolLimits.NameBytes),
        ServerTime = reader.ReadTime(),
        Times = TicketTimes.Read(ref reader),
        Certificate = reader.ReadBytes16(ProtocolLimits.CertificateBytes),
        WantsNewRecord = reader.ReadFlag(),
    };
}
