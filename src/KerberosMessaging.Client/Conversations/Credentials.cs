using System.Buffers;
using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.Client.Conversations;

/// <summary>
/// What vouches for a device: the realm's certificate, and, where the device is linked, the link of its account key. In a prekey
/// envelope they stand one behind the other: certificate (2 + n), link (2 + 0 or 97).
/// </summary>
/// <param name="Certificate">The certificate as the realm signed it.</param>
/// <param name="Link">The link; empty where there is none.</param>
internal sealed record Credentials(byte[] Certificate, byte[] Link)
{
    public byte[] ToBytes()
    {
        var buffer = new ArrayBufferWriter<byte>();
        var writer = new WireWriter(buffer);
        writer.WriteBytes16(Certificate);
        writer.WriteBytes16(Link);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads the credentials of a prekey envelope; null where they have another form.</summary>
    public static Credentials? TryRead(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var reader = new WireReader(bytes);
            var credentials = new Credentials(reader.ReadBytes16(ProtocolLimits.CertificateBytes), reader.ReadBytes16(DeviceLink.Size));
            reader.ExpectEnd();
            return credentials;
        }
        catch (ProtocolException)
        {
            return null;
        }
    }

    /// <summary>
    /// Judges certificate and link; null where the certificate is not one of the realm. A link that does not verify counts as none:
    /// then the device is merely not linked.
    /// </summary>
    public CertifiedDevice? Verify(ReadOnlySpan<byte> realmKey)
    {
        if (DeviceCertificate.TryRead(Certificate, realmKey) is not { } certificate)
        {
            return null;
        }

        var identity = new PublicDeviceIdentity(certificate.SigningKey, certificate.AgreementKey);
        var isLinked = DeviceLink.TryVerify(Link, certificate.Client, certificate.Device, identity.ToBytes(), out _);
        return new CertifiedDevice(certificate.Client, certificate.ClientName, certificate.Device, identity, isLinked ? Link : [], certificate.Serial);
    }
}

/// <summary>A device as the realm certified it, with a link that verifies, or none.</summary>
internal sealed record CertifiedDevice(
    ClientId Client, string ClientName, DeviceId Device, PublicDeviceIdentity Identity, byte[] Link, ulong Serial);
