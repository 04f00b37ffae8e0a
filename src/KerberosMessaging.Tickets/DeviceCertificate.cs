using System.Buffers;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets;

/// <summary>
/// The realm's signed statement that a device, with these identity keys, belongs to a client.
/// <code>
/// version (1) = 1, client id (16), client name (2 + n), device id (16), Ed25519 identity key (32),
/// X25519 identity key (32), serial (8), issued at (8), Ed25519 signature of the realm (64)
/// </code>
/// </summary>
/// <param name="Client">The client.</param>
/// <param name="ClientName">The client's name as registered.</param>
/// <param name="Device">The device.</param>
/// <param name="SigningKey">Ed25519 identity key, 32 bytes.</param>
/// <param name="AgreementKey">X25519 identity key, 32 bytes.</param>
/// <param name="Serial">Number of this certificate in the realm, strictly increasing.</param>
/// <param name="IssuedAt">When it was signed.</param>
public sealed record DeviceCertificate(
    ClientId Client,
    string ClientName,
    DeviceId Device,
    byte[] SigningKey,
    byte[] AgreementKey,
    ulong Serial,
    DateTimeOffset IssuedAt)
{
    private const byte FormatVersion = 1;
    private const int KeySize = 32;

    private static readonly byte[] SignatureLabel = "kmsg/25 device certificate\0"u8.ToArray();

    /// <summary>Writes and signs the certificate.</summary>
    /// <param name="realmKey">The realm signing key.</param>
    public byte[] Sign(Ed25519PrivateKey realmKey)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var writer = new WireWriter(buffer);
        writer.WriteU8(FormatVersion);
        writer.WriteId(Client.Value);
        writer.WriteText(ClientName);
        writer.WriteId(Device.Value);
        writer.WriteFixed(SigningKey, KeySize);
        writer.WriteFixed(AgreementKey, KeySize);
        writer.WriteU64(Serial);
        writer.WriteTime(IssuedAt);
        return [.. buffer.WrittenSpan, .. realmKey.Sign([.. SignatureLabel, .. buffer.WrittenSpan])];
    }

    /// <summary>Verifies and reads a certificate; null for every cause of failure.</summary>
    /// <param name="certificate">As received.</param>
    /// <param name="realmSigningKey">The pinned realm key, 32 bytes.</param>
    public static DeviceCertificate? TryRead(ReadOnlySpan<byte> certificate, ReadOnlySpan<byte> realmSigningKey)
    {
        if (certificate.Length is <= Ed25519.SignatureSize or > ProtocolLimits.CertificateBytes)
        {
            return null;
        }

        var signed = certificate[..^Ed25519.SignatureSize];
        if (!Ed25519.Verify(realmSigningKey, [.. SignatureLabel, .. signed], certificate[^Ed25519.SignatureSize..]))
        {
            return null;
        }

        // The realm signed it, so a wrong form is a newer version or a fault of the realm's: refused, not trusted.
        try
        {
            var reader = new WireReader(signed);
            if (reader.ReadU8() != FormatVersion)
            {
                return null;
            }

            var read = new DeviceCertificate(
                new ClientId(reader.ReadId()),
                reader.ReadText(ProtocolLimits.NameBytes),
                new DeviceId(reader.ReadId()),
                reader.ReadFixed(KeySize),
                reader.ReadFixed(KeySize),
                reader.ReadU64(),
                reader.ReadTime());
            reader.ExpectEnd();
            return read;
        }
        catch (ProtocolException)
        {
            return null;
        }
    }
}
