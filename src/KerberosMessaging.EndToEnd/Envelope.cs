using System.Buffers.Binary;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// A parsed view of an envelope's bytes; <see cref="EnvelopeFormat"/> has the diagram. Parsing looks at the layout
/// only, so whatever parses is still untrusted.
/// </summary>
internal readonly ref struct Envelope
{
    private readonly ReadOnlySpan<byte> _whole;
    private readonly int _headerAt;
    private readonly int _headerSize;

    private Envelope(ReadOnlySpan<byte> whole, PrekeyHeader prekeyHeader, int headerAt, int headerSize)
    {
        _whole = whole;
        PrekeyHeader = prekeyHeader;
        _headerAt = headerAt;
        _headerSize = headerSize;
    }

    public EnvelopeKind Kind => _whole.IsEmpty ? default : (EnvelopeKind)_whole[1];

    /// <summary>Empty unless the kind is <see cref="EnvelopeKind.Prekey"/>.</summary>
    public PrekeyHeader PrekeyHeader { get; }

    public ReadOnlySpan<byte> SealedHeader => _whole.Slice(_headerAt, _headerSize);

    public ReadOnlySpan<byte> Ciphertext => _whole[(_headerAt + _headerSize)..^EnvelopeFormat.TagSize];

    public ReadOnlySpan<byte> Tag => _whole[^EnvelopeFormat.TagSize..];

    /// <summary>Everything of the envelope that the tag covers.</summary>
    public ReadOnlySpan<byte> Authenticated => _whole[..^EnvelopeFormat.TagSize];

    public static bool TryParse(ReadOnlySpan<byte> bytes, out Envelope envelope)
    {
        envelope = default;
        if (bytes.Length < EnvelopeFormat.MinRatchetEnvelopeSize || bytes[0] != EnvelopeFormat.Version)
        {
            return false;
        }

        var at = EnvelopeFormat.PrefixSize;
        PrekeyHeader prekeyHeader = default;
        switch ((EnvelopeKind)bytes[1])
        {
            case EnvelopeKind.Prekey:
                if (!PrekeyHeader.TryParse(bytes[at..], out prekeyHeader))
                {
                    return false;
                }

                at += prekeyHeader.Bytes.Length;
                break;
            case EnvelopeKind.Ratchet:
                break;
            default:
                return false;
        }

        if (bytes.Length - at < EnvelopeFormat.MinRatchetEnvelopeSize - EnvelopeFormat.PrefixSize)
        {
            return false;
        }

        int headerSize = BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);
        at += EnvelopeFormat.HeaderLengthSize;
        if (headerSize is not (EnvelopeFormat.SmallestSealedHeader or EnvelopeFormat.SealedCiphertextHeader or EnvelopeFormat.SealedOfferHeader))
        {
            return false;
        }

        var ciphertextSize = bytes.Length - at - headerSize - EnvelopeFormat.TagSize;
        if (ciphertextSize < EnvelopeFormat.BlockSize || ciphertextSize % EnvelopeFormat.BlockSize != 0)
        {
            return false;
        }

        envelope = new Envelope(bytes, prekeyHeader, at, headerSize);
        return true;
    }
}
