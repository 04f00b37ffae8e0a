using System.Diagnostics.CodeAnalysis;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// The byte format of an envelope: what one device sends to one other device. All numbers are big-endian.
/// <code>
/// ratchet envelope (kind 2)
///  0         1        2         4                 4+h               n-32       n
///  +---------+--------+---------+-----------------+-----------------+----------+
///  | version | kind   | header  | sealed header   | ciphertext      | HMAC tag |
///  | = 2 (1) | = 2 (1)| size h  | (96, 1184       | (16, 32, 48, …) | (32)     |
///  |         |        | (2)     | or 1280)        |                 |          |
///  +---------+--------+---------+-----------------+-----------------+----------+
///
/// prekey envelope (kind 1)
///  0         1        2         66        70        74        75        79       111          1199         1201
///  +---------+--------+---------+---------+---------+---------+---------+--------+------------+------------+-------------+- - - -
///  | version | kind   | sender  | signed  | one-time| KEM     | KEM     | base   | KEM        | credential | credentials | header
///  | = 2 (1) | = 1 (1)| identity| prekey  | prekey  | prekey  | prekey  | key    | ciphertext | size (2)   | (0…65535)   | size,
///  |         |        | (64)    | id (4)  | id (4)  | kind (1)| id (4)  | (32)   | (1088)     |            |             | …, tag
///  +---------+--------+---------+---------+---------+---------+---------+--------+------------+------------+-------------+- - - -
/// </code>
/// The sender identity is the Ed25519 signing key followed by the X25519 agreement key. The base key is the ephemeral
/// X25519 key EK_A of PQXDH. A one-time prekey id of 0 says that none was used; the KEM prekey kind is 1 for the last-resort
/// key and 2 for a one-time key. The sealed header is <see cref="RatchetHeader"/> under a header key. The ciphertext is
/// AES-256-CBC with PKCS#7 padding. The tag is the full HMAC-SHA-256 over the session's associated data, the message id and every
/// byte of the envelope before the tag; see <see cref="PeerSessions"/> for the keys. Nothing may follow the tag.
/// </summary>
public static class EnvelopeFormat
{
    /// <summary>The first byte of every envelope of this format.</summary>
    public const byte Version = 2;

    /// <summary>The size of a message id, which the tag covers but the envelope does not carry.</summary>
    public const int MessageIdSize = 16;

    /// <summary>Version and kind.</summary>
    public const int PrefixSize = 2;

    /// <summary>The prekey header without its credentials.</summary>
    public const int PrekeyHeaderSize = PublicDeviceIdentity.Size + 4 + 4 + 1 + 4 + 32 + MlKem768.CiphertextSize + 2;

    /// <summary>The most bytes of credentials that a prekey envelope can carry.</summary>
    public const int MaxCredentialsSize = ushort.MaxValue;

    /// <summary>The size of the authentication tag. It is never truncated.</summary>
    public const int TagSize = 32;

    /// <summary>The block size of the cipher: the ciphertext is one or more whole blocks.</summary>
    public const int BlockSize = 16;

    /// <summary>The smallest ratchet envelope.</summary>
    public const int MinRatchetEnvelopeSize = PrefixSize + HeaderLengthSize + SmallestSealedHeader + BlockSize + TagSize;

    /// <summary>The smallest prekey envelope: one without credentials.</summary>
    public const int MinPrekeyEnvelopeSize = MinRatchetEnvelopeSize + PrekeyHeaderSize;

    internal const int HeaderLengthSize = 2;

    internal const int SmallestSealedHeader = 96;

    internal const int SealedCiphertextHeader = 1184;

    internal const int SealedOfferHeader = 1280;

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
    /// Reads the credentials from a prekey envelope, so that they can be validated before the envelope is decrypted.
    /// The envelope itself proves nothing until it is decrypted.
    /// </summary>
    /// <param name="envelope">The envelope.</param>
    /// <param name="credentials">What the sender gave as such: a part of <paramref name="envelope"/>, not a copy.</param>
    /// <returns>Whether this is a well-formed prekey envelope.</returns>
    public static bool TryReadCredentials(ReadOnlySpan<byte> envelope, out ReadOnlySpan<byte> credentials)
    {
        if (!Envelope.TryParse(envelope, out var parsed) || parsed.Kind != EnvelopeKind.Prekey)
        {
            credentials = default;
            return false;
        }

        credentials = parsed.PrekeyHeader.Credentials;
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
