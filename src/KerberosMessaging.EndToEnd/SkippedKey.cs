using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>The key of a message that was passed over and may still come.</summary>
internal sealed class SkippedKey(byte[] ratchetKey, uint messageNumber, SecretBytes messageKey) : IDisposable
{
    public const int ExportSize = PublicDeviceIdentity.KeySize + sizeof(uint) + RatchetKdf.KeySize;

    public byte[] RatchetKey { get; } = ratchetKey;

    public uint MessageNumber { get; } = messageNumber;

    public SecretBytes MessageKey { get; } = messageKey;

    public void Dispose() => MessageKey.Dispose();

    public override string ToString() => "[redacted]";
}
