using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>The private halves of one bundle: a signed prekey and a last-resort KEM prekey, made and retired together.</summary>
internal sealed class PrekeyPair(uint signedPrekeyId, SecretBytes signedPrekey, uint kemPrekeyId, SecretBytes kemSeed) : IDisposable
{
    public uint SignedPrekeyId { get; } = signedPrekeyId;

    /// <summary>X25519, 32 bytes.</summary>
    public SecretBytes SignedPrekey { get; } = signedPrekey;

    public uint KemPrekeyId { get; } = kemPrekeyId;

    /// <summary>The seed of the ML-KEM-768 key, 64 bytes.</summary>
    public SecretBytes KemSeed { get; } = kemSeed;

    public static (PrekeyPair Pair, PrekeyBundle Bundle) Generate(uint signedPrekeyId, uint kemPrekeyId, DeviceIdentity identity)
    {
        using var signedPrekey = X25519PrivateKey.Generate();
        using var kemPrekey = MlKem768PrivateKey.Generate();
        var bundle = new PrekeyBundle(
            signedPrekeyId,
            signedPrekey.PublicKey.Span,
            PrekeySignature.Create(identity, Labels.SignedPrekey, signedPrekeyId, signedPrekey.PublicKey.Span),
            kemPrekeyId,
            kemPrekey.PublicKey.Span,
            PrekeySignature.Create(identity, Labels.KemPrekey, kemPrekeyId, kemPrekey.PublicKey.Span));
        return (new PrekeyPair(signedPrekeyId, signedPrekey.Export(), kemPrekeyId, kemPrekey.ExportSeed()), bundle);
    }

    public static PrekeyPair Read(ref StateReader reader)
    {
        var signedPrekeyId = reader.ReadUInt32();
        var signedPrekey = reader.ReadSecret(PublicDeviceIdentity.KeySize);
        return new PrekeyPair(signedPrekeyId, signedPrekey, reader.ReadUInt32(), reader.ReadSecret(MlKem768PrivateKey.SeedSize));
    }

    public void Write(ref StateWriter writer)
    {
        writer.WriteUInt32(SignedPrekeyId);
        writer.WriteBytes(SignedPrekey.Span);
        writer.WriteUInt32(KemPrekeyId);
        writer.WriteBytes(KemSeed.Span);
    }

    public void Dispose()
    {
        SignedPrekey.Dispose();
        KemSeed.Dispose();
    }

    public override string ToString() => "[redacted]";
}
