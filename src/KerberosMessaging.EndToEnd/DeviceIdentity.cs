using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// The private identity keys of this device (IK in PQXDH, section 2.4): Ed25519 for signatures, X25519 for agreement. They live as
/// long as the device's enrolment.
/// <code>
/// export format
///  0             1                      33                      65
///  +-------------+----------------------+-----------------------+
///  | version = 1 | Ed25519 seed (32)    | X25519 private (32)   |
///  +-------------+----------------------+-----------------------+
/// </code>
/// </summary>
public sealed class DeviceIdentity : IDisposable
{
    private const byte ExportVersion = 1;
    private const int ExportSize = 1 + (2 * PublicDeviceIdentity.KeySize);

    private readonly Ed25519PrivateKey _signing;
    private readonly X25519PrivateKey _agreement;

    private DeviceIdentity(Ed25519PrivateKey signing, X25519PrivateKey agreement)
    {
        _signing = signing;
        _agreement = agreement;
        Public = new PublicDeviceIdentity(signing.PublicKey.Span, agreement.PublicKey.Span);
    }

    /// <summary>The public half, which the realm certifies.</summary>
    public PublicDeviceIdentity Public { get; }

    /// <summary>Makes a new identity.</summary>
    /// <returns>The identity; the caller disposes it.</returns>
    public static DeviceIdentity Generate() => new(Ed25519PrivateKey.Generate(), X25519PrivateKey.Generate());

    /// <summary>Restores an identity from <see cref="Export"/>.</summary>
    /// <param name="exported">The exported bytes.</param>
    /// <returns>The identity; the caller disposes it.</returns>
    /// <exception cref="EndToEndException">The bytes are no export of this version.</exception>
    public static DeviceIdentity Import(ReadOnlySpan<byte> exported)
    {
        var reader = new StateReader(exported);
        reader.ExpectVersion(ExportVersion);
        var seed = reader.ReadBytes(PublicDeviceIdentity.KeySize);
        var agreement = reader.ReadBytes(PublicDeviceIdentity.KeySize);
        reader.ExpectEnd();
        return new DeviceIdentity(Ed25519PrivateKey.FromSeed(seed), X25519PrivateKey.FromBytes(agreement));
    }

    /// <summary>Exports the private keys, to be stored encrypted.</summary>
    /// <returns>The bytes; the caller disposes them.</returns>
    public SecretBytes Export()
    {
        using var seed = _signing.ExportSeed();
        using var agreement = _agreement.Export();
        var exported = new SecretBytes(ExportSize);
        var writer = new StateWriter(exported.Span);
        writer.WriteByte(ExportVersion);
        writer.WriteBytes(seed.Span);
        writer.WriteBytes(agreement.Span);
        writer.ExpectEnd();
        return exported;
    }

    /// <summary>Signs a message with the Ed25519 identity key. The caller separates purposes by a label in the message.</summary>
    /// <param name="message">The message.</param>
    /// <returns>The signature, 64 bytes.</returns>
    public byte[] Sign(ReadOnlySpan<byte> message) => _signing.Sign(message);

    /// <inheritdoc/>
    public void Dispose()
    {
        _signing.Dispose();
        _agreement.Dispose();
    }

    /// <inheritdoc/>
    public override string ToString() => "[redacted]";

    internal bool TryAgree(ReadOnlySpan<byte> peerPublicKey, Span<byte> shared) => _agreement.TryAgree(peerPublicKey, shared);
}
