using System.Buffers.Binary;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>Which of a device's KEM prekeys a session was started with.</summary>
internal enum KemPrekeyKind : byte
{
    /// <summary>The signed last-resort key of the bundle.</summary>
    LastResort = 1,

    /// <summary>A signed one-time key.</summary>
    OneTime = 2,
}

/// <summary>The prekeys of the responder that a session was started with, by their ids. A one-time prekey id of 0 says none.</summary>
internal readonly record struct PrekeyIds(uint SignedPrekey, uint OneTimePrekey, KemPrekeyKind KemPrekeyKind, uint KemPrekey);

/// <summary>
/// What a prekey envelope carries in front of the ratchet header, from the sender identity to the end of the
/// credentials: the initial message of PQXDH, section 3.3. <see cref="EnvelopeFormat"/> has the diagram.
/// </summary>
internal readonly ref struct PrekeyHeader
{
    private const int SignedPrekeyIdOffset = PublicDeviceIdentity.Size;
    private const int OneTimePrekeyIdOffset = SignedPrekeyIdOffset + 4;
    private const int KemPrekeyKindOffset = OneTimePrekeyIdOffset + 4;
    private const int KemPrekeyIdOffset = KemPrekeyKindOffset + 1;
    private const int BaseKeyOffset = KemPrekeyIdOffset + 4;
    private const int KemCiphertextOffset = BaseKeyOffset + PublicDeviceIdentity.KeySize;
    private const int CredentialsSizeOffset = KemCiphertextOffset + MlKem768.CiphertextSize;

    private PrekeyHeader(ReadOnlySpan<byte> bytes) => Bytes = bytes;

    public ReadOnlySpan<byte> Bytes { get; }

    public ReadOnlySpan<byte> SenderIdentity => Bytes[..PublicDeviceIdentity.Size];

    public PrekeyIds PrekeyIds => new(
        BinaryPrimitives.ReadUInt32BigEndian(Bytes[SignedPrekeyIdOffset..]),
        BinaryPrimitives.ReadUInt32BigEndian(Bytes[OneTimePrekeyIdOffset..]),
        (KemPrekeyKind)Bytes[KemPrekeyKindOffset],
        BinaryPrimitives.ReadUInt32BigEndian(Bytes[KemPrekeyIdOffset..]));

    public ReadOnlySpan<byte> BaseKey => Bytes.Slice(BaseKeyOffset, PublicDeviceIdentity.KeySize);

    public ReadOnlySpan<byte> KemCiphertext => Bytes.Slice(KemCiphertextOffset, MlKem768.CiphertextSize);

    public ReadOnlySpan<byte> Credentials => Bytes[EnvelopeFormat.PrekeyHeaderSize..];

    /// <summary>Reads the header from the front of <paramref name="bytes"/>; more may follow it.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out PrekeyHeader header)
    {
        header = default;
        if (bytes.Length < EnvelopeFormat.PrekeyHeaderSize)
        {
            return false;
        }

        var size = EnvelopeFormat.PrekeyHeaderSize + BinaryPrimitives.ReadUInt16BigEndian(bytes[CredentialsSizeOffset..]);
        if (bytes.Length < size)
        {
            return false;
        }

        header = new PrekeyHeader(bytes[..size]);
        return header.PrekeyIds.KemPrekeyKind is KemPrekeyKind.LastResort or KemPrekeyKind.OneTime;
    }

    public static byte[] Write(
        PublicDeviceIdentity sender,
        PrekeyIds prekeys,
        ReadOnlySpan<byte> baseKey,
        ReadOnlySpan<byte> kemCiphertext,
        ReadOnlySpan<byte> credentials)
    {
        var bytes = new byte[EnvelopeFormat.PrekeyHeaderSize + credentials.Length];
        var writer = new StateWriter(bytes);
        writer.WriteBytes(sender.Bytes);
        writer.WriteUInt32(prekeys.SignedPrekey);
        writer.WriteUInt32(prekeys.OneTimePrekey);
        writer.WriteByte((byte)prekeys.KemPrekeyKind);
        writer.WriteUInt32(prekeys.KemPrekey);
        writer.WriteBytes(baseKey);
        writer.WriteBytes(kemCiphertext);
        writer.WriteUInt16(checked((ushort)credentials.Length));
        writer.WriteBytes(credentials);
        writer.ExpectEnd();
        return bytes;
    }
}
