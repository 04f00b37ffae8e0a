using System.Buffers.Binary;
using System.Security.Cryptography;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets;

/// <summary>
/// Proves that whoever presents a ticket knows its session key, on this very channel (RFC 4120, section 5.5.1). Because
/// it names the channel binding, into which both sides put fresh randomness, a recorded one is worth nothing elsewhere:
/// no replay cache and no synchronised clocks are needed.
/// </summary>
/// <param name="ChannelBinding">The channel's exporter value, 32 bytes.</param>
/// <param name="Nonce">32 random bytes, which the server's proof repeats.</param>
public sealed record Authenticator(byte[] ChannelBinding, byte[] Nonce)
{
    private const int FieldSize = 32;

    /// <summary>A fresh authenticator for a channel.</summary>
    /// <param name="channelBinding">The channel's exporter value.</param>
    public static Authenticator For(ReadOnlySpan<byte> channelBinding) =>
        new(channelBinding.ToArray(), RandomNumberGenerator.GetBytes(FieldSize));

    /// <summary>Seals it for one request.</summary>
    /// <param name="sessionKey">The ticket's session key.</param>
    /// <param name="request">The request that it goes with: it is refused with any other.</param>
    public byte[] Seal(SecretBytes sessionKey, MessageCode request)
    {
        using var buffer = SealedWriter.Rent();
        var writer = new WireWriter(buffer);
        writer.WriteFixed(ChannelBinding, FieldSize);
        writer.WriteFixed(Nonce, FieldSize);
        return TicketKeys.Seal(sessionKey.Span, TicketKeys.Authenticator, buffer.Written, AssociatedData(request));
    }

    /// <summary>Opens one and checks that it belongs to this request and this channel; null for every cause of failure.</summary>
    /// <param name="sealedAuthenticator">As received.</param>
    /// <param name="sessionKey">The session key from the ticket.</param>
    /// <param name="request">The request that it came with.</param>
    /// <param name="channelBinding">The exporter value of the channel that it came on.</param>
    public static Authenticator? TryOpen(
        ReadOnlySpan<byte> sealedAuthenticator,
        SecretBytes sessionKey,
        MessageCode request,
        ReadOnlySpan<byte> channelBinding)
    {
        var opened = SealedPart.TryOpen(
            sessionKey.Span,
            TicketKeys.Authenticator,
            sealedAuthenticator,
            AssociatedData(request),
            static (ref WireReader reader) => new Authenticator(reader.ReadFixed(FieldSize), reader.ReadFixed(FieldSize)));
        return opened is not null && CryptographicOperations.FixedTimeEquals(opened.ChannelBinding, channelBinding) ? opened : null;
    }

    private static byte[] AssociatedData(MessageCode request)
    {
        var code = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(code, (ushort)request);
        return code;
    }
}
