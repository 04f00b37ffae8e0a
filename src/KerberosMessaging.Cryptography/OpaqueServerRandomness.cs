using System.Security.Cryptography;

namespace KerberosMessaging.Cryptography;

/// <summary>The random values of one server reply, apart so that published test vectors can give theirs.</summary>
internal sealed class OpaqueServerRandomness : IDisposable
{
    private readonly SecretBytes _keyshareSeed = new(Oprf.SeedSize);
    private readonly byte[] _maskingNonce = new byte[Opaque.NonceSize];
    private readonly byte[] _serverNonce = new byte[Opaque.NonceSize];

    internal OpaqueServerRandomness()
    {
        RandomNumberGenerator.Fill(_maskingNonce);
        RandomNumberGenerator.Fill(_serverNonce);
        RandomNumberGenerator.Fill(_keyshareSeed.Span);
    }

    internal OpaqueServerRandomness(
        ReadOnlySpan<byte> maskingNonce, ReadOnlySpan<byte> serverNonce, ReadOnlySpan<byte> keyshareSeed)
    {
        maskingNonce.CopyTo(_maskingNonce);
        serverNonce.CopyTo(_serverNonce);
        keyshareSeed.CopyTo(_keyshareSeed.Span);
    }

    internal ReadOnlySpan<byte> MaskingNonce => _maskingNonce;

    internal ReadOnlySpan<byte> ServerNonce => _serverNonce;

    internal ReadOnlySpan<byte> KeyshareSeed => _keyshareSeed.Span;

    public void Dispose() => _keyshareSeed.Dispose();

    public override string ToString() => Redacted.Text;
}
