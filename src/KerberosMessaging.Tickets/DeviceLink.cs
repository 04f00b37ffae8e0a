using System.Diagnostics.CodeAnalysis;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets;

/// <summary>
/// The statement of a client's account key that a device, with these identity keys, is the client's. The realm can certify a
/// device that its client never had; it cannot link one, since the account key never leaves the client's devices.
/// <code>
/// version (1) = 1, account key (32), Ed25519 signature of the account key (64)
/// signed: "kmsg/25 device link" 00, version (1), client id (16), device id (16), device identity (64)
/// </code>
/// The statement names no ids: they are those of the certificate that it comes with.
/// </summary>
public static class DeviceLink
{
    /// <summary>Bytes of a link.</summary>
    public const int Size = ProtocolLimits.DeviceLinkBytes;

    /// <summary>Bytes of a device's identity keys: Ed25519 (32), then X25519 (32).</summary>
    public const int IdentitySize = 64;

    private const byte FormatVersion = 1;

    private static readonly byte[] SignatureLabel = "kmsg/25 device link\0"u8.ToArray();

    /// <summary>Writes and signs a link.</summary>
    /// <param name="accountKey">The client's account key.</param>
    /// <param name="client">The client.</param>
    /// <param name="device">The device that is linked.</param>
    /// <param name="identity">The device's identity keys, 64 bytes.</param>
    /// <returns>The link, <see cref="Size"/> bytes.</returns>
    /// <exception cref="ArgumentException">The identity has another length.</exception>
    public static byte[] Sign(Ed25519PrivateKey accountKey, ClientId client, DeviceId device, ReadOnlySpan<byte> identity)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(identity.Length, IdentitySize);
        return [FormatVersion, .. accountKey.PublicKey.Span, .. accountKey.Sign(SignedBytes(client, device, identity))];
    }

    /// <summary>Verifies a link. That it verifies says who linked the device, and not yet that it was the client: compare the account key.</summary>
    /// <param name="link">As received.</param>
    /// <param name="client">The client that the device's certificate names.</param>
    /// <param name="device">The device that its certificate names.</param>
    /// <param name="identity">The identity keys that its certificate names, 64 bytes.</param>
    /// <param name="accountKey">Receives the account key that signed, 32 bytes.</param>
    /// <returns>False for every cause of failure.</returns>
    public static bool TryVerify(
        ReadOnlySpan<byte> link,
        ClientId client,
        DeviceId device,
        ReadOnlySpan<byte> identity,
        [NotNullWhen(true)] out byte[]? accountKey)
    {
        accountKey = null;
        if (link.Length != Size || link[0] != FormatVersion || identity.Length != IdentitySize)
        {
            return false;
        }

        var key = link.Slice(1, Ed25519.PublicKeySize);
        if (!Ed25519.Verify(key, SignedBytes(client, device, identity), link[^Ed25519.SignatureSize..]))
        {
            return false;
        }

        accountKey = key.ToArray();
        return true;
    }

    private static byte[] SignedBytes(ClientId client, DeviceId device, ReadOnlySpan<byte> identity) =>
    [
        .. SignatureLabel,
        FormatVersion,
        .. client.Value.ToByteArray(bigEndian: true),
        .. device.Value.ToByteArray(bigEndian: true),
        .. identity,
    ];
}
