using System.Diagnostics.CodeAnalysis;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// The byte format of an envelope: what one device sends to one other device. All numbers are big-endian.
/// <code>
/// ratchet envelope (kind 2)
///  0         1        2                34               38          42                n-32       n
///  +---------+--------+----------------+----------------+-----------+-----------------+----------+
///  | version | kind   | ratchet public | previous chain | message   | ciphertext      | HMAC tag |
///  | = 1 (1) | = 2 (1)| key (32)       | length (4)     | number (4)| (16, 32, 48, …) | (32)     |
///  +---------+--------+----------------+----------------+-----------+-----------------+----------+
///                     |&lt;------------ ratchet header, 40 ------------&gt;|
///
/// prekey envelope (kind 1)
///  0         1        2         66         70         74         106          1194        1196
///  +---------+--------+---------+----------+----------+----------+------------+-----------+-------------+- - - -
///  | version | kind   | sender  | signed   | KEM      | base key | KEM        | certifi-  | certificate | ratchet
///  | = 1 (1) | = 1 (1)| identity| prekey   | prekey   | (32)     | ciphertext | cate      | (0…65535)   | header,
///  |         |        | (64)    | id (4)   | id (4)   |          | (1088)     | length (2)|             | …, tag
///  +---------+--------+---------+----------+----------+----------+------------+-----------+-------------+- - - -
/// </code>
/// The sender identity is the Ed25519 signing key followed by the X25519 agreement key. The base key is the ephemeral
/// X25519 key EK_A of PQXDH. The message number is at most 2^32 - 2. The ciphertext is AES-256-CBC with PKCS#7 padding.
/// The tag is the full HMAC-SHA-256 over the session's associated data followed by every byte of the envelope before
/// the tag; see <see cref="PeerSessions"/> for the keys. Nothing may follow the tag.
/// </summary>
public static class EnvelopeFormat
{
    /// <summary>The first byte of every envelope of this format.</summary>
    public const byte Version = 1;

    /// <summary>Version and kind.</summary>
    public const int PrefixSize = 2;

    /// <summary>Ratchet public key, previous chain length, message number.</summary>
    public const int RatchetHeaderSize = 32 + 4 + 4;

    /// <summary>The prekey header without its certificate bytes.</summary>
    public const int PrekeyHeaderSize = PublicDeviceIdentity.Size + 4 + 4 + 32 + 1088 + 2;

    /// <summary>The longest certificate that a prekey envelope can carry.</summary>
    public const int MaxCertificateSize = ushort.MaxValue;

    /// <summary>The size of the authentication tag. It is never truncated.</summary>
    public const int TagSize = 32;

    /// <summary>The block size of the cipher: the ciphertext is one or more whole blocks.</summary>
    public const int BlockSize = 16;

    /// <summary>The smallest ratchet envelope.</summary>
    public const int MinRatchetEnvelopeSize = PrefixSize + RatchetHeaderSize + BlockSize + TagSize;

    /// <summary>The smallest prekey envelope: one with an empty certificate.</summary>
    public const int MinPrekeyEnvelopeSize = MinRatchetEnvelopeSize + PrekeyHeaderSize;

    /// <summary>Reads the kind of a well-formed envelope. Nothing is authenticated by this.</summary>
    /// <param name="envelope">The envelope.</param>
    /// <param name="kind">The kind.</param>
    /// <returns>Whether the envelope is well-formed.</returns>
    public static bool TryReadKind(ReadOnlySpan<byte> envelope, out EnvelopeKind kind)
    {
        var wellFormed = Envelope.TryParse(envelope, out var parsed);
        kind = parsed.Kind;
        return wellFormed;
    }

    /// <summary>
    /// Reads the certificate from a prekey envelope, so that it can be validated before the envelope is decrypted.
    /// The envelope itself proves nothing until it is decrypted.
    /// </summary>
    /// <param name="envelope">The envelope.</param>
    /// <param name="certificate">The certificate: a part of <paramref name="envelope"/>, not a copy.</param>
    /// <returns>Whether this is a well-formed prekey envelope.</returns>
    public static bool TryReadCertificate(ReadOnlySpan<byte> envelope, out ReadOnlySpan<byte> certificate)
    {
        if (!Envelope.TryParse(envelope, out var parsed) || parsed.Kind != EnvelopeKind.Prekey)
        {
            certificate = default;
            return false;
        }

        certificate = parsed.PrekeyHeader.Certificate;
        return true;
    }

    /// <summary>
    /// Reads the identity that a prekey envelope claims to come from. It is a claim until a certificate vouches for the
    /// identity and the envelope is decrypted.
    /// </summary>
    /// <param name="envelope">The envelope.</param>
    /// <param name="identity">The claimed identity.</param>
    /// <returns>Whether this is a well-formed prekey envelope.</returns>
    public static bool TryReadSenderIdentity(
        ReadOnlySpan<byte> envelope,
        [NotNullWhen(true)] out PublicDeviceIdentity? identity)
    {
        if (!Envelope.TryParse(envelope, out var parsed) || parsed.Kind != EnvelopeKind.Prekey)
        {
            identity = null;
            return false;
        }

        return PublicDeviceIdentity.TryRead(parsed.PrekeyHeader.SenderIdentity, out identity);
    }
}
