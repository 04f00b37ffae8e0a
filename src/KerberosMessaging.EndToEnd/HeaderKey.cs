using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// A header key (HKs, HKr, NHKs or NHKr of Double Ratchet, section 4.2): HENCRYPT and HDECRYPT are A256CBC-HS512 with a random
/// initialisation vector, for a header key serves all messages of a chain. Without the key a header says nothing, not even
/// which chain it belongs to.
/// </summary>
internal sealed class HeaderKey : IDisposable
{
    /// <summary>The size of the key in bytes.</summary>
    public const int Size = AuthenticatedCbc.KeySize;

    private readonly SecretBytes _key;
    private AuthenticatedCbc? _cipher;

    public HeaderKey(ReadOnlySpan<byte> key) => _key = new SecretBytes(key);

    public ReadOnlySpan<byte> Span => _key.Span;

    private AuthenticatedCbc Cipher => _cipher ??= new AuthenticatedCbc(_key.Span);

    public void Seal(ReadOnlySpan<byte> header, Span<byte> destination) => Cipher.Seal(header, [], destination);

    /// <summary>Opens a header into a buffer as long as the sealed one. False for what was not sealed under this key.</summary>
    public bool TryOpen(ReadOnlySpan<byte> sealedHeader, Span<byte> buffer, out RatchetHeader header)
    {
        header = default;
        return Cipher.TryOpen(sealedHeader, [], buffer[..(sealedHeader.Length - AuthenticatedCbc.IvSize - AuthenticatedCbc.TagSize)], out var written)
            && RatchetHeader.TryParse(buffer[..written], out header);
    }

    public void Dispose()
    {
        _cipher?.Dispose();
        _key.Dispose();
    }

    public override string ToString() => "[redacted]";
}
