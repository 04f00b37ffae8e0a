using System.Security.Cryptography;

namespace KerberosMessaging.Cryptography;

/// <summary>The random values of one server reply, apart so that published test vectors can give theirs.</summary>
internal sealed class OpaqueServerRandomness : IDisposable
{
    private readonly SecretBytes _bytes = new(Opaque.NonceSize + Opaque.NonceSize + Oprf.SeedSize);

    // Asked for at once: each question to the operating system takes longer than its bytes.
    internal OpaqueServerRandomness() => RandomNumberGenerator.Fill(_bytes.Span);

    internal OpaqueServerRandomness(
        ReadOnlySpan<byte> maskingNonce, ReadOnlySpan<byte> serverNonce, ReadOnlySpan<byte> keyshareSeed)
    {
        maskingNonce.CopyTo(_bytes.Span);
        serverNonce.CopyTo(_bytes.Span[Opaque.NonceSize..]);
        keyshareSeed.CopyTo(_bytes.Span[^Oprf.SeedSize..]);
    }

    internal ReadOnlySpan<byte> MaskingNonce => _bytes.Span[..Opaque.NonceSize];

    internal ReadOnlySpan<byte> ServerNonce => _bytes.Span.Slice(Opaque.NonceSize, Opaque.NonceSize);

    internal ReadOnlySpan<byte> KeyshareSeed => _bytes.Span[^Oprf.SeedSize..];

    public void Dispose() => _bytes.Dispose();

    public override string ToString() => Redacted.Text;
}
