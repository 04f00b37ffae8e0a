using System.Diagnostics.CodeAnalysis;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// The public identity of one device: an Ed25519 key that signs its prekeys and an X25519 key that takes part in the key
/// agreement, the role of IK in PQXDH, section 2.4. The specification derives both from one key pair by XEdDSA; here they are
/// two keys, which the realm certifies together.
/// <code>
///  0                  32                    64
///  +------------------+---------------------+
///  | signing key (32) | agreement key (32)  |
///  +------------------+---------------------+
/// </code>
/// </summary>
public sealed class PublicDeviceIdentity : IEquatable<PublicDeviceIdentity>
{
    /// <summary>The size of the encoded identity.</summary>
    public const int Size = 2 * KeySize;

    internal const int KeySize = 32;

    private readonly byte[] _bytes;

    /// <summary>Creates an identity from its keys.</summary>
    /// <param name="signingKey">The Ed25519 public key, 32 bytes.</param>
    /// <param name="agreementKey">The X25519 public key, 32 bytes.</param>
    /// <exception cref="ArgumentException">A key is not 32 bytes long.</exception>
    public PublicDeviceIdentity(ReadOnlySpan<byte> signingKey, ReadOnlySpan<byte> agreementKey)
    {
        if (signingKey.Length != KeySize)
        {
            throw new ArgumentException("The signing key must be 32 bytes.", nameof(signingKey));
        }

        if (agreementKey.Length != KeySize)
        {
            throw new ArgumentException("The agreement key must be 32 bytes.", nameof(agreementKey));
        }

        _bytes = [.. signingKey, .. agreementKey];
    }

    /// <summary>The Ed25519 public key.</summary>
    public ReadOnlyMemory<byte> SigningKey => _bytes.AsMemory(0, KeySize);

    /// <summary>The X25519 public key.</summary>
    public ReadOnlyMemory<byte> AgreementKey => _bytes.AsMemory(KeySize);

    internal ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>Reads an identity from exactly its encoding.</summary>
    /// <param name="bytes">The signing key followed by the agreement key.</param>
    /// <param name="identity">The identity.</param>
    /// <returns>Whether the length is right.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out PublicDeviceIdentity? identity)
    {
        identity = bytes.Length == Size ? new PublicDeviceIdentity(bytes[..KeySize], bytes[KeySize..]) : null;
        return identity is not null;
    }

    /// <summary>Encodes the identity as the signing key followed by the agreement key.</summary>
    /// <returns>A copy, <see cref="Size"/> bytes.</returns>
    public byte[] ToBytes() => [.. _bytes];

    /// <inheritdoc/>
    public bool Equals(PublicDeviceIdentity? other) => other is not null && _bytes.AsSpan().SequenceEqual(other._bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as PublicDeviceIdentity);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(_bytes);
        return hash.ToHashCode();
    }
}
