using System.Buffers.Binary;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// A parsed view of an envelope's bytes; <see cref="EnvelopeFormat"/> has the diagram. Parsing looks at the layout
/// only, so whatever parses is still untrusted.
/// </summary>
internal readonly ref struct Envelope
{
    private const int RatchetKeySize = 32;

    private readonly ReadOnlySpan<byte> _whole;
    private readonly ReadOnlySpan<byte> _ratchetPart;

    private Envelope(ReadOnlySpan<byte> whole, PrekeyHeader prekeyHeader, ReadOnlySpan<byte> ratchetPart)
    {
        _whole = whole;
        PrekeyHeader = prekeyHeader;
        _ratchetPart = ratchetPart;
    }

    public EnvelopeKind Kind => _whole.IsEmpty ? default : (EnvelopeKind)_whole[1];

    /// <summary>Empty unless the kind is <see cref="EnvelopeKind.Prekey"/>.</summary>
    public PrekeyHeader PrekeyHeader { get; }

    public ReadOnlySpan<byte> RatchetKey => _ratchetPart[..RatchetKeySize];

    public uint PreviousChainLength => BinaryPrimitives.ReadUInt32BigEndian(_ratchetPart[RatchetKeySize..]);

    public uint MessageNumber => BinaryPrimitives.ReadUInt32BigEndian(_ratchetPart[(RatchetKeySize + 4)..]);

    public ReadOnlySpan<byte> Ciphertext => _ratchetPart[EnvelopeFormat.RatchetHeaderSize..^EnvelopeFormat.TagSize];

    public ReadOnlySpan<byte> Tag => _whole[^EnvelopeFormat.TagSize..];

    /// <summary>Everything the tag covers besides the session's associated data.</summary>
    public ReadOnlySpan<byte> Authenticated => _whole[..^EnvelopeFormat.TagSize];

    public static bool TryParse(ReadOnlySpan<byte> bytes, out Envelope envelope)
    {
        envelope = default;
        if (bytes.Length < EnvelopeFormat.MinRatchetEnvelopeSize || bytes[0] != EnvelopeFormat.Version)
        {
            return false;
        }

        var rest = bytes[EnvelopeFormat.PrefixSize..];
        PrekeyHeader prekeyHeader = default;
        switch ((EnvelopeKind)bytes[1])
        {
            case EnvelopeKind.Prekey:
                if (!PrekeyHeader.TryParse(rest, out prekeyHeader))
                {
                    return false;
                }

                rest = rest[prekeyHeader.Bytes.Length..];
                break;
            case EnvelopeKind.Ratchet:
                break;
            default:
                return false;
        }

        var ciphertextSize = rest.Length - EnvelopeFormat.RatchetHeaderSize - EnvelopeFormat.TagSize;
        if (ciphertextSize < EnvelopeFormat.BlockSize || ciphertextSize % EnvelopeFormat.BlockSize != 0)
        {
            return false;
        }

        var parsed = new Envelope(bytes, prekeyHeader, rest);

        // The counter behind a message number must be able to pass it without wrapping to keys already used.
        if (parsed.MessageNumber == uint.MaxValue)
        {
            return false;
        }

        envelope = parsed;
        return true;
    }

    public static void WriteRatchetHeader(
        Span<byte> destination,
        ReadOnlySpan<byte> ratchetKey,
        uint previousChainLength,
        uint messageNumber)
    {
        ratchetKey.CopyTo(destination[..RatchetKeySize]);
        BinaryPrimitives.WriteUInt32BigEndian(destination[RatchetKeySize..], previousChainLength);
        BinaryPrimitives.WriteUInt32BigEndian(destination[(RatchetKeySize + 4)..], messageNumber);
    }
}
