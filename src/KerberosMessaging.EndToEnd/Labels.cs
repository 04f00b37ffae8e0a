namespace KerberosMessaging.EndToEnd;

/// <summary>
/// Every string that separates one use of a key or hash from another. Changing one changes the protocol: they are
/// only ever replaced together with the envelope version.
/// </summary>
internal static class Labels
{
    public static ReadOnlySpan<byte> AssociatedData => "kmsg/25"u8;

    public static ReadOnlySpan<byte> Pqxdh => "kmsg/25 PQXDH X25519 SHA-512 ML-KEM-768"u8;

    public static ReadOnlySpan<byte> RatchetRoot => "kmsg/25 ratchet root"u8;

    public static ReadOnlySpan<byte> HybridRatchetRoot => "kmsg/25 ratchet root ML-KEM-768"u8;

    public static ReadOnlySpan<byte> MessageKey => "kmsg/25 message key"u8;

    public static ReadOnlySpan<byte> SignedPrekey => "kmsg/25 signed prekey"u8;

    public static ReadOnlySpan<byte> KemPrekey => "kmsg/25 kem prekey"u8;

    public static ReadOnlySpan<byte> OneTimeKemPrekey => "kmsg/25 one-time kem prekey"u8;

    public static ReadOnlySpan<byte> LinkFingerprint => "kmsg/25 link code"u8;

    public static ReadOnlySpan<byte> LinkProof => "kmsg/25 link proof"u8;
}
