using System.Buffers;
using System.Buffers.Text;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.Hosting.Startup;

/// <summary>
/// The key that a server's key ring is sealed under. Of the 32 bytes given, only a derived key is kept:
/// <code>
/// key (64)    = HKDF-SHA-512(salt = empty, master key, label "kmsg/25 key ring")
/// sealed data = A256CBC-HS512(key, plaintext, associated data = its purpose in ASCII)
/// </code>
/// </summary>
internal sealed class MasterKey : IDisposable
{
    /// <summary>The size of a master key in bytes.</summary>
    public const int Size = 32;

    private const string Label = "kmsg/25 key ring";

    private readonly SecretBytes _key = new(AuthenticatedCbc.KeySize);

    private MasterKey(ReadOnlySpan<byte> key)
    {
        using var extracted = new SecretBytes(KeyDerivation.PseudorandomKeySize);
        KeyDerivation.Extract([], key, extracted.Span);
        KeyDerivation.Expand(extracted.Span, Label, _key.Span);
    }

    /// <summary>Reads 64 hexadecimal digits or the base64 of 32 bytes, with white space around them; null for anything else.</summary>
    /// <param name="text">ASCII.</param>
    public static MasterKey? Parse(ReadOnlySpan<byte> text)
    {
        using var key = new SecretBytes(Size);
        return TryDecode(text, key.Span) ? new MasterKey(key.Span) : null;
    }

    /// <summary>Reads the text of a key without making one of it; other keys of operators are written in the same way.</summary>
    /// <param name="text">ASCII.</param>
    /// <param name="key">Receives 32 bytes.</param>
    public static bool TryDecode(ReadOnlySpan<byte> text, Span<byte> key)
    {
        text = text.Trim(" \t\r\n"u8);
        var isKey = text.Length == Size * 2
            ? Convert.FromHexString(text, key, out _, out var written) == OperationStatus.Done
            : Base64.DecodeFromUtf8(text, key, out _, out written) == OperationStatus.Done;
        return isKey && written == Size;
    }

    /// <summary>Makes the text of a new master key: 64 hexadecimal digits and a line feed. The caller erases it.</summary>
    public static byte[] NewText()
    {
        using var key = SecretBytes.Random(Size);
        var text = new byte[(Size * 2) + 1];
        Convert.TryToHexStringLower(key.Span, text, out var written);
        text[written] = (byte)'\n';
        return text;
    }

    /// <summary>Seals a secret.</summary>
    /// <param name="secret">The secret.</param>
    /// <param name="purpose">What it is: nothing opens in the place of something else.</param>
    public byte[] Seal(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> purpose) => AuthenticatedCbc.Seal(_key.Span, secret, purpose);

    /// <summary>Opens a sealed secret, which the caller erases; null where it was not sealed under this key for this purpose.</summary>
    /// <param name="sealedSecret">Any bytes.</param>
    /// <param name="purpose">As it was sealed.</param>
    public byte[]? Open(ReadOnlySpan<byte> sealedSecret, ReadOnlySpan<byte> purpose) =>
        AuthenticatedCbc.TryOpen(_key.Span, sealedSecret, purpose, out var secret) ? secret : null;

    public void Dispose() => _key.Dispose();

    /// <summary>Never shows the key.</summary>
    public override string ToString() => _key.ToString();
}
