using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets;

/// <summary>The byte strings that bind a login to its channel and its device. Both ends build them from here.</summary>
public static class LoginProof
{
    private static readonly byte[] ContextLabel = "kmsg/25 login\0"u8.ToArray();
    private static readonly byte[] DeviceLabel = "kmsg/25 device login\0"u8.ToArray();

    /// <summary>
    /// The OPAQUE context (RFC 9807, section 6.4): with the channel binding in it, a login that is relayed over another
    /// channel fails on both sides.
    /// </summary>
    /// <param name="channelBinding">The channel's exporter value.</param>
    public static byte[] OpaqueContext(ReadOnlySpan<byte> channelBinding) => [.. ContextLabel, .. channelBinding];

    /// <summary>What a device signs with its Ed25519 identity key to prove that it holds it, on this channel, in this login.</summary>
    /// <param name="channelBinding">The channel's exporter value.</param>
    /// <param name="ke3">The login's KE3.</param>
    /// <param name="device">The device's id.</param>
    /// <param name="deviceIdentity">Its identity keys, 64 bytes.</param>
    public static byte[] DeviceSignedBytes(
        ReadOnlySpan<byte> channelBinding,
        ReadOnlySpan<byte> ke3,
        DeviceId device,
        ReadOnlySpan<byte> deviceIdentity) =>
        [.. DeviceLabel, .. channelBinding, .. ke3, .. device.Value.ToByteArray(bigEndian: true), .. deviceIdentity];

    /// <summary>Verifies the device's signature.</summary>
    /// <param name="signature">64 bytes.</param>
    /// <param name="channelBinding">The channel's exporter value.</param>
    /// <param name="ke3">The login's KE3.</param>
    /// <param name="device">The device's id.</param>
    /// <param name="deviceIdentity">Its identity keys, 64 bytes; the first 32 verify.</param>
    public static bool IsSignedByDevice(
        ReadOnlySpan<byte> signature,
        ReadOnlySpan<byte> channelBinding,
        ReadOnlySpan<byte> ke3,
        DeviceId device,
        ReadOnlySpan<byte> deviceIdentity) =>
        Ed25519.Verify(
            deviceIdentity[..Ed25519.PublicKeySize],
            DeviceSignedBytes(channelBinding, ke3, device, deviceIdentity),
            signature);
}
