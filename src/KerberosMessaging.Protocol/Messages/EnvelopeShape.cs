namespace KerberosMessaging.Protocol.Messages;

/// <summary>
/// The outer shape of an end-to-end envelope, which is all that a message server can and does check: version, kind, and
/// a length that the kind can have. The content is defined by the end-to-end layer alone.
/// </summary>
public static class EnvelopeShape
{
    /// <summary>Version byte of every envelope.</summary>
    public const byte Version = 1;

    /// <summary>An envelope that starts a session (PQXDH initial message).</summary>
    public const byte PrekeyKind = 1;

    /// <summary>An envelope of a running session (Double Ratchet message).</summary>
    public const byte RatchetKind = 2;

    // Header 40, at least one AES block, tag 32.
    private const int RatchetPart = 40 + 16 + 32;
    private const int SmallestRatchet = 2 + RatchetPart;

    // Identity 64, two prekey ids 8, base key 32, ML-KEM ciphertext 1088, certificate length 2.
    private const int SmallestPrekey = 2 + 64 + 8 + 32 + 1088 + 2 + RatchetPart;

    /// <summary>Refuses what cannot be an envelope.</summary>
    /// <param name="envelope">The bytes.</param>
    /// <exception cref="ProtocolException">With <see cref="ProtocolError.Malformed"/>.</exception>
    public static void Check(ReadOnlySpan<byte> envelope)
    {
        var wellFormed = envelope.Length >= SmallestRatchet && envelope[0] == Version && envelope[1] switch
        {
            RatchetKind => (envelope.Length - SmallestRatchet) % 16 == 0,
            PrekeyKind => envelope.Length >= SmallestPrekey,
            _ => false,
        };
        if (!wellFormed)
        {
            throw new ProtocolException(ProtocolError.Malformed, "An envelope is not well-formed.");
        }
    }
}
