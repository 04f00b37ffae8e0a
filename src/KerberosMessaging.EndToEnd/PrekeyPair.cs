using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>The private halves of one bundle: a signed prekey and a last-resort KEM prekey, made and retired together.</summary>
internal sealed class PrekeyPair(uint signedPrekeyId, X25519PrivateKey signedPrekey, uint kemPrekeyId, MlKem768PrivateKey kemPrekey)
    : IDisposable
{
    public const int ExportSize =
        sizeof(uint) + PublicDeviceIdentity.KeySize + sizeof(uint) + MlKem768PrivateKey.SeedSize;

    public uint SignedPrekeyId { get; } = signedPrekeyId;

    public X25519PrivateKey SignedPrekey { get; } = signedPrekey;

    public uint KemPrekeyId { get; } = kemPrekeyId;

    public MlKem768PrivateKey KemPrekey { get; } = kemPrekey;

    public static PrekeyPair Generate(uint signedPrekeyId, uint kemPrekeyId) =>
        new(signedPrekeyId, X25519PrivateKey.Generate(), kemPrekeyId, MlKem768PrivateKey.Generate());

    public static PrekeyPair Read(ref StateReader reader)
    {
        var signedPrekeyId = reader.ReadUInt32();
        var signedPrekey = reader.ReadBytes(PublicDeviceIdentity.KeySize);
        var kemPrekeyId = reader.ReadUInt32();
        var kemSeed = reader.ReadBytes(MlKem768PrivateKey.SeedSize);
        return new PrekeyPair(
            signedPrekeyId,
            X25519PrivateKey.FromBytes(signedPrekey),
            kemPrekeyId,
            MlKem768PrivateKey.FromSeed(kemSeed));
    }

    public void Write(ref StateWriter writer)
    {
        using var signedPrekey = SignedPrekey.Export();
        using var kemSeed = KemPrekey.ExportSeed();
        writer.WriteUInt32(SignedPrekeyId);
        writer.WriteBytes(signedPrekey.Span);
        writer.WriteUInt32(KemPrekeyId);
        writer.WriteBytes(kemSeed.Span);
    }

    public PrekeyBundle Sign(DeviceIdentity identity)
    {
        var signedPrekey = SignedPrekey.PublicKey.Span;
        var kemPrekey = KemPrekey.PublicKey.Span;
        return new PrekeyBundle(
            SignedPrekeyId,
            signedPrekey,
            PrekeySignature.Create(identity, Labels.SignedPrekey, SignedPrekeyId, signedPrekey),
            KemPrekeyId,
            kemPrekey,
            PrekeySignature.Create(identity, Labels.KemPrekey, KemPrekeyId, kemPrekey));
    }

    public void Dispose()
    {
        SignedPrekey.Dispose();
        KemPrekey.Dispose();
    }

    public override string ToString() => "[redacted]";
}
