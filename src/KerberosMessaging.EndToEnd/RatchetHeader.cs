using System.Buffers.Binary;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>What a ratchet header carries of the exchange that refreshes a session's security against quantum computers.</summary>
internal enum KemPartKind : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>A fresh ML-KEM-768 encapsulation key, which the peer's next chain answers.</summary>
    Offer = 1,

    /// <summary>The ciphertext for the key that the peer offered in its last chain; its secret is in this chain's root step.</summary>
    Ciphertext = 2,
}

/// <summary>
/// The plaintext of a ratchet header: HEADER of Double Ratchet, section 3.4, with the KEM part. All messages of a chain carry the
/// same KEM part, for any of them may be the first to arrive.
/// <code>
///  0             32                 36           40          41
///  +-------------+------------------+------------+-----------+- - - - - - - - - - - - - +
///  | ratchet     | previous chain   | message    | KEM part  | KEM part: 0, 1184 or     |
///  | key (32)    | length (4)       | number (4) | kind (1)  | 1088 bytes               |
///  +-------------+------------------+------------+-----------+- - - - - - - - - - - - - +
/// </code>
/// </summary>
internal readonly ref struct RatchetHeader
{
    public const int FixedSize = RatchetKeySize + 4 + 4 + 1;

    public const int LargestSize = FixedSize + MlKem768.PublicKeySize;

    private const int RatchetKeySize = X25519PrivateKey.Size;

    private readonly ReadOnlySpan<byte> _bytes;

    private RatchetHeader(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public ReadOnlySpan<byte> RatchetKey => _bytes[..RatchetKeySize];

    public uint PreviousChainLength => BinaryPrimitives.ReadUInt32BigEndian(_bytes[RatchetKeySize..]);

    public uint MessageNumber => BinaryPrimitives.ReadUInt32BigEndian(_bytes[(RatchetKeySize + 4)..]);

    public KemPartKind KemPartKind => (KemPartKind)_bytes[FixedSize - 1];

    public ReadOnlySpan<byte> KemPart => _bytes[FixedSize..];

    public static int KemPartSize(KemPartKind kind) => kind switch
    {
        KemPartKind.None => 0,
        KemPartKind.Offer => MlKem768.PublicKeySize,
        KemPartKind.Ciphertext => MlKem768.CiphertextSize,
        _ => -1,
    };

    public static bool TryParse(ReadOnlySpan<byte> bytes, out RatchetHeader header)
    {
        header = new RatchetHeader(bytes);

        // The counter behind a message number must be able to pass it without wrapping to keys already used.
        return bytes.Length >= FixedSize
            && bytes.Length - FixedSize == KemPartSize(header.KemPartKind)
            && header.MessageNumber != uint.MaxValue;
    }

    /// <summary>Writes a header; <paramref name="destination"/> is exactly as long as it.</summary>
    public static void Write(
        Span<byte> destination,
        ReadOnlySpan<byte> ratchetKey,
        uint previousChainLength,
        uint messageNumber,
        KemPartKind kemPartKind,
        ReadOnlySpan<byte> kemPart)
    {
        var writer = new StateWriter(destination);
        writer.WriteBytes(ratchetKey);
        writer.WriteUInt32(previousChainLength);
        writer.WriteUInt32(messageNumber);
        writer.WriteByte((byte)kemPartKind);
        writer.WriteBytes(kemPart);
        writer.ExpectEnd();
    }
}
