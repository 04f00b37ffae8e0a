using System.Buffers.Binary;

namespace KerberosMessaging.Protocol.Messages;

/// <summary>
/// The outer shape of an end-to-end envelope, which is all that a message server can and does check: version, kind, and lengths
/// that fit together. The content is defined by the end-to-end layer alone.
/// <code>
/// kind 2:   version (1) = 2, kind (1), ratchet part
/// kind 1:   version (1) = 2, kind (1), prekey header (1197), length of the credentials (2), credentials, ratchet part
/// ratchet part:   length of the sealed header (2), sealed header (96, 1184 or 1280), ciphertext (16, 32, 48, …), tag (32)
/// </code>
/// </summary>
public static class EnvelopeShape
{
    /// <summary>Version byte of every envelope.</summary>
    public const byte Version = 2;

    /// <summary>An envelope that starts a session (PQXDH initial message).</summary>
    public const byte PrekeyKind = 1;

    /// <summary>An envelope of a running session (Double Ratchet message).</summary>
    public const byte RatchetKind = 2;

    private const int PrefixSize = 2;

    // Identity 64, signed and one-time prekey ids 8, KEM prekey kind and id 5, base key 32, ML-KEM ciphertext 1088.
    private const int PrekeyHeaderSize = 64 + 8 + 5 + 32 + 1088;

    private const int LengthSize = 2;
    private const int BlockSize = 16;
    private const int TagSize = 32;

    /// <summary>Refuses what cannot be an envelope.</summary>
    /// <param name="envelope">The bytes.</param>
    /// <exception cref="ProtocolException">With <see cref="ProtocolError.Malformed"/>.</exception>
    public static void Check(ReadOnlySpan<byte> envelope)
    {
        var wellFormed = envelope.Length > PrefixSize && envelope[0] == Version && envelope[1] switch
        {
            RatchetKind => IsRatchetPart(envelope[PrefixSize..]),
            PrekeyKind => IsPrekeyPart(envelope[PrefixSize..]),
            _ => false,
        };
        if (!wellFormed)
        {
            throw new ProtocolException(ProtocolError.Malformed, "An envelope is not well-formed.");
        }
    }

    private static bool IsPrekeyPart(ReadOnlySpan<byte> part)
    {
        const int CredentialsAt = PrekeyHeaderSize + LengthSize;
        if (part.Length < CredentialsAt)
        {
            return false;
        }

        var credentials = BinaryPrimitives.ReadUInt16BigEndian(part[PrekeyHeaderSize..]);
        return part.Length - CredentialsAt >= credentials && IsRatchetPart(part[(CredentialsAt + credentials)..]);
    }

    private static bool IsRatchetPart(ReadOnlySpan<byte> part)
    {
        if (part.Length < LengthSize)
        {
            return false;
        }

        // The ratchet key and numbers alone, with an ML-KEM-768 ciphertext, or with an encapsulation key.
        var header = BinaryPrimitives.ReadUInt16BigEndian(part);
        var ciphertext = part.Length - LengthSize - header - TagSize;
        return header is 96 or 1184 or 1280 && ciphertext >= BlockSize && ciphertext % BlockSize == 0;
    }
}
