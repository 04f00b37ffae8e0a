using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// The signature that ties a prekey to its device (PQXDH, section 3.2). Signed is: label, one zero byte, id, key. The
/// label tells the two kinds of prekey apart, so neither can be passed off as the other; the id cannot be exchanged
/// either. No label holds a zero byte, so the end of the label is unambiguous.
/// </summary>
internal static class PrekeySignature
{
    public const int Size = 64;

    public static byte[] Create(DeviceIdentity identity, ReadOnlySpan<byte> label, uint id, ReadOnlySpan<byte> key) =>
        identity.Sign(Message(label, id, key));

    public static bool Verify(
        PublicDeviceIdentity identity,
        ReadOnlySpan<byte> label,
        uint id,
        ReadOnlySpan<byte> key,
        ReadOnlySpan<byte> signature) =>
        Ed25519.Verify(identity.SigningKey.Span, Message(label, id, key), signature);

    private static byte[] Message(ReadOnlySpan<byte> label, uint id, ReadOnlySpan<byte> key)
    {
        var message = new byte[label.Length + 1 + sizeof(uint) + key.Length];
        var writer = new StateWriter(message);
        writer.WriteBytes(label);
        writer.WriteByte(0);
        writer.WriteUInt32(id);
        writer.WriteBytes(key);
        writer.ExpectEnd();
        return message;
    }
}
