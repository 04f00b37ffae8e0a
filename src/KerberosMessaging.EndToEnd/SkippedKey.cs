using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>The key of a message that was passed over and may still come.</summary>
internal sealed class SkippedKey(uint messageNumber, DateTimeOffset since, SecretBytes messageKey) : IDisposable
{
    public uint MessageNumber { get; } = messageNumber;

    /// <summary>When it was passed over.</summary>
    public DateTimeOffset Since { get; } = since;

    public SecretBytes MessageKey { get; } = messageKey;

    public void Dispose() => MessageKey.Dispose();

    public override string ToString() => "[redacted]";
}
