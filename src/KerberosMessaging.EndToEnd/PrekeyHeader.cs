using System.Buffers.Binary;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// What a prekey envelope carries in front of the ratchet header, from the sender identity to the end of the
/// certificate: the initial message of PQXDH, section 3.3. <see cref="EnvelopeFormat"/> has the diagram.
/// </summary>
internal readonly ref struct PrekeyHeader
{
    private const int SignedPrekeyIdOffset = PublicDeviceIdentity.Size;
    private const int KemPrekeyIdOffset = SignedPrekeyIdOffset + 4;
    private const int BaseKeyOffset = KemPrekeyIdOffset + 4;
    private const int KemCiphertextOffset = BaseKeyOffset + PublicDeviceIdentity.KeySize;
    private const int CertificateLengthOffset = KemCiphertextOffset + MlKem768.CiphertextSize;

    private PrekeyHeader(ReadOnlySpan<byte> bytes) => Bytes = bytes;

    public ReadOnlySpan<byte> Bytes { get; }

    public ReadOnlySpan<byte> SenderIdentity => Bytes[..PublicDeviceIdentity.Size];

    public uint SignedPrekeyId => BinaryPrimitives.ReadUInt32BigEndian(Bytes[SignedPrekeyIdOffset..]);

    public uint KemPrekeyId => BinaryPrimitives.ReadUInt32BigEndian(Bytes[KemPrekeyIdOffset..]);

    public ReadOnlySpan<byte> BaseKey => Bytes.Slice(BaseKeyOffset, PublicDeviceIdentity.KeySize);

    public ReadOnlySpan<byte> KemCiphertext => Bytes.Slice(KemCiphertextOffset, MlKem768.CiphertextSize);

    public ReadOnlySpan<byte> Certificate => Bytes[EnvelopeFormat.PrekeyHeaderSize..];

    /// <summary>Reads the header from the front of <paramref name="bytes"/>; more may follow it.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out PrekeyHeader header)
    {
        header = default;
        if (bytes.Length < EnvelopeFormat.PrekeyHeaderSize)
        {
            return false;
        }

        var size = EnvelopeFormat.PrekeyHeaderSize + BinaryPrimitives.ReadUInt16BigEndian(bytes[CertificateLengthOffset..]);
        if (bytes.Length < size)
        {
            return false;
        }

        header = new PrekeyHeader(bytes[..size]);
        return true;
    }

    public static byte[] Write(
        PublicDeviceIdentity sender,
        PrekeyBundle bundle,
        ReadOnlySpan<byte> baseKey,
        ReadOnlySpan<byte> kemCiphertext,
        ReadOnlySpan<byte> certificate)
    {
        var bytes = new byte[EnvelopeFormat.PrekeyHeaderSize + certificate.Length];
        var writer = new StateWriter(bytes);
        writer.WriteBytes(sender.Bytes);
        writer.WriteUInt32(bundle.SignedPrekeyId);
        writer.WriteUInt32(bundle.KemPrekeyId);
        writer.WriteBytes(baseKey);
        writer.WriteBytes(kemCiphertext);
        writer.WriteUInt16(checked((ushort)certificate.Length));
        writer.WriteBytes(certificate);
        writer.ExpectEnd();
        return bytes;
    }
}
