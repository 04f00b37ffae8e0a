using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// The sending chain: CKs, HKs and Ns of Double Ratchet, section 4.2, with the own ratchet key pair that began it and the KEM part
/// that all of its headers carry. It ends when the peer's next chain is read.
/// <code>
///  ratchet private key (32), ratchet public key (32), chain key (32), header key (64), sent (4),
///  KEM part kind (1), KEM part (0, 1184 or 1088), seed of the offered key (64, where one is offered)
/// </code>
/// </summary>
internal sealed class SendingChain(
    SecretBytes ratchetPrivate,
    byte[] ratchetPublic,
    SecretBytes chainKey,
    HeaderKey headerKey,
    KemPartKind kemPartKind,
    byte[] kemPart,
    SecretBytes? offerSeed) : IDisposable
{
    public SecretBytes RatchetPrivate { get; } = ratchetPrivate;

    public HeaderKey HeaderKey { get; } = headerKey;

    /// <summary>How many messages were sealed in it.</summary>
    public uint Sent { get; private set; }

    /// <summary>The seed of the ML-KEM key that it offers; null where it offers none.</summary>
    public SecretBytes? OfferSeed { get; } = offerSeed;

    public int SealedHeaderSize => AuthenticatedCbc.SealedLength(RatchetHeader.FixedSize + kemPart.Length);

    /// <summary>Writes the sealed header of the next message.</summary>
    public void SealHeader(uint previousChainLength, Span<byte> destination)
    {
        Span<byte> header = stackalloc byte[RatchetHeader.FixedSize + kemPart.Length];
        RatchetHeader.Write(header, ratchetPublic, previousChainLength, Sent, kemPartKind, kemPart);
        HeaderKey.Seal(header, destination);
    }

    public void DeriveMessageKey(Span<byte> messageKey) => RatchetKdf.DeriveMessageKey(chainKey.Span, messageKey);

    /// <summary>Goes on behind the message just sealed, whose key cannot be made again.</summary>
    public void Advance()
    {
        RatchetKdf.Advance(chainKey.Span);
        Sent++;
    }

    public static SendingChain Read(ref StateReader reader)
    {
        var ratchetPrivate = reader.ReadSecret(X25519PrivateKey.Size);
        var ratchetPublic = reader.ReadBytes(X25519PrivateKey.Size).ToArray();
        var chainKey = reader.ReadSecret(RatchetKdf.KeySize);
        var headerKey = new HeaderKey(reader.ReadBytes(HeaderKey.Size));
        var sent = reader.ReadUInt32();
        var kind = (KemPartKind)reader.ReadByte();
        var size = RatchetHeader.KemPartSize(kind);
        var kemPart = size >= 0 ? reader.ReadBytes(size).ToArray() : throw StateReader.Refused();
        var offerSeed = kind == KemPartKind.Offer ? reader.ReadSecret(MlKem768PrivateKey.SeedSize) : null;
        return new SendingChain(ratchetPrivate, ratchetPublic, chainKey, headerKey, kind, kemPart, offerSeed) { Sent = sent };
    }

    public void Write(ref StateWriter writer)
    {
        writer.WriteBytes(RatchetPrivate.Span);
        writer.WriteBytes(ratchetPublic);
        writer.WriteBytes(chainKey.Span);
        writer.WriteBytes(HeaderKey.Span);
        writer.WriteUInt32(Sent);
        writer.WriteByte((byte)kemPartKind);
        writer.WriteBytes(kemPart);
        if (OfferSeed is not null)
        {
            writer.WriteBytes(OfferSeed.Span);
        }
    }

    public void Dispose()
    {
        RatchetPrivate.Dispose();
        chainKey.Dispose();
        HeaderKey.Dispose();
        OfferSeed?.Dispose();
    }

    public override string ToString() => "[redacted]";
}
