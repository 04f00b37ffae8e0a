using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// The code that a new device shows and a device that is linked already takes, by QR or typed, so that each knows the other's
/// keys without believing a server: a fingerprint of the new device's identity, and a secret with which the other proves, when it
/// passes the account key on, that it was given the code.
/// <code>
/// fingerprint = SHA-512("kmsg/25 link code" 0x00 || client id (16) || device id (16) || identity (64))[0..15)
/// code        = fingerprint (15) || secret (10), as 40 characters of base32 (RFC 4648, section 6) in groups of five
/// proof       = HMAC-SHA-256(secret, "kmsg/25 link proof" 0x00 || account key (32) || new identity (64) || linking identity (64))
/// </code>
/// 120 bits of fingerprint cannot be met by another identity. The secret is random, used once and never sent; 80 bits are beyond
/// guessing, for a wrong proof can only be tried on the device that waits for it.
/// </summary>
public sealed class LinkCode : IDisposable
{
    /// <summary>The size of a proof in bytes.</summary>
    public const int ProofSize = 32;

    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    private const int FingerprintSize = 15;
    private const int SecretSize = 10;
    private const int BitsPerCharacter = 5;
    private const int CharacterCount = (FingerprintSize + SecretSize) * 8 / BitsPerCharacter;
    private const int GroupSize = 5;

    private readonly SecretBytes _bytes;

    private LinkCode(SecretBytes bytes) => _bytes = bytes;

    private ReadOnlySpan<byte> Fingerprint => _bytes.Span[..FingerprintSize];

    private ReadOnlySpan<byte> Secret => _bytes.Span[FingerprintSize..];

    /// <summary>Makes the code of a new device.</summary>
    /// <param name="client">Its client's id, 16 bytes.</param>
    /// <param name="device">Its id, 16 bytes.</param>
    /// <param name="identity">Its identity.</param>
    /// <returns>The code, the caller's to dispose of.</returns>
    public static LinkCode Create(ReadOnlySpan<byte> client, ReadOnlySpan<byte> device, PublicDeviceIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(identity);
        var bytes = new SecretBytes(FingerprintSize + SecretSize);
        FingerprintOf(client, device, identity).CopyTo(bytes.Span);
        RandomNumberGenerator.Fill(bytes.Span[FingerprintSize..]);
        return new LinkCode(bytes);
    }

    /// <summary>Reads a code as people write it: case, spaces and hyphens do not matter, and 0, 1 and 8 count as O, I and B.</summary>
    /// <param name="text">As typed.</param>
    /// <param name="code">The code, the caller's to dispose of.</param>
    /// <returns>Whether it has the form of a code.</returns>
    public static bool TryParse(string text, [NotNullWhen(true)] out LinkCode? code)
    {
        ArgumentNullException.ThrowIfNull(text);
        code = null;
        using var bytes = new SecretBytes(FingerprintSize + SecretSize);
        var (pending, bits, written, read) = (0, 0, 0, 0);
        foreach (var character in text)
        {
            if (char.IsWhiteSpace(character) || character == '-')
            {
                continue;
            }

            var value = Alphabet.IndexOf(Intended(character), StringComparison.Ordinal);
            if (value < 0 || ++read > CharacterCount)
            {
                return false;
            }

            pending = (pending << BitsPerCharacter) | value;
            bits += BitsPerCharacter;
            if (bits >= 8)
            {
                bits -= 8;
                bytes.Span[written++] = (byte)(pending >> bits);
                pending &= (1 << bits) - 1;
            }
        }

        code = read == CharacterCount ? new LinkCode(bytes.Clone()) : null;
        return code is not null;
    }

    /// <summary>Whether the code was made by this device.</summary>
    /// <param name="client">The client's id, 16 bytes.</param>
    /// <param name="device">The device's id, 16 bytes.</param>
    /// <param name="identity">The device's identity.</param>
    /// <returns>Whether the fingerprint is of these.</returns>
    public bool IsOf(ReadOnlySpan<byte> client, ReadOnlySpan<byte> device, PublicDeviceIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(identity);
        return CryptographicOperations.FixedTimeEquals(Fingerprint, FingerprintOf(client, device, identity));
    }

    /// <summary>The proof that goes with the account key.</summary>
    /// <param name="accountKey">The account key (public), 32 bytes.</param>
    /// <param name="newDevice">The identity of the device that made the code.</param>
    /// <param name="linkingDevice">The identity of the device that took it.</param>
    /// <returns><see cref="ProofSize"/> bytes.</returns>
    public byte[] Prove(ReadOnlySpan<byte> accountKey, PublicDeviceIdentity newDevice, PublicDeviceIdentity linkingDevice)
    {
        ArgumentNullException.ThrowIfNull(newDevice);
        ArgumentNullException.ThrowIfNull(linkingDevice);
        return HMACSHA256.HashData(Secret, [.. Labels.LinkProof, 0, .. accountKey, .. newDevice.Bytes, .. linkingDevice.Bytes]);
    }

    /// <summary>The code for a person to copy: a secret until it was used.</summary>
    /// <returns>Eight groups of five characters, separated by hyphens.</returns>
    public string Reveal()
    {
        var text = new StringBuilder(CharacterCount + (CharacterCount / GroupSize));
        for (var i = 0; i < CharacterCount; i++)
        {
            if (i > 0 && i % GroupSize == 0)
            {
                text.Append('-');
            }

            var (at, shift) = Math.DivRem(i * BitsPerCharacter, 8);
            var pair = (_bytes.Span[at] << 8) | (at + 1 < _bytes.Length ? _bytes.Span[at + 1] : 0);
            text.Append(Alphabet[(pair >> (16 - BitsPerCharacter - shift)) & 31]);
        }

        return text.ToString();
    }

    /// <inheritdoc/>
    public void Dispose() => _bytes.Dispose();

    /// <inheritdoc/>
    public override string ToString() => "[redacted]";

    private static ReadOnlySpan<byte> FingerprintOf(ReadOnlySpan<byte> client, ReadOnlySpan<byte> device, PublicDeviceIdentity identity) =>
        SHA512.HashData([.. Labels.LinkFingerprint, 0, .. client, .. device, .. identity.Bytes]).AsSpan(0, FingerprintSize);

    private static char Intended(char character) => char.ToUpperInvariant(character) switch
    {
        '0' => 'O',
        '1' => 'I',
        '8' => 'B',
        var upper => upper,
    };
}
