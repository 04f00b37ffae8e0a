using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets;

/// <summary>
/// The byte strings that a message server signs with its Ed25519 signing key to prove to the auth server that it holds it,
/// on this channel. Both ends build them from here.
/// </summary>
public static class ServerProof
{
    private static readonly byte[] EnrolmentLabel = "kmsg/25 server enrolment\0"u8.ToArray();
    private static readonly byte[] AuthenticationLabel = "kmsg/25 server authentication\0"u8.ToArray();

    /// <summary>What is signed at enrolment.</summary>
    /// <param name="channelBinding">The channel's exporter value.</param>
    /// <param name="token">The one-time token that the server enrols with.</param>
    public static byte[] EnrolmentSignedBytes(ReadOnlySpan<byte> channelBinding, string token) =>
        [.. EnrolmentLabel, .. channelBinding, .. SHA256.HashData(Encoding.UTF8.GetBytes(token))];

    /// <summary>Verifies the signature of an enrolment.</summary>
    /// <param name="signature">64 bytes.</param>
    /// <param name="signingKey">The Ed25519 public key that the request states, 32 bytes.</param>
    /// <param name="channelBinding">The exporter value of the channel that the request came on.</param>
    /// <param name="token">The token of the request.</param>
    public static bool IsEnrolmentSigned(
        ReadOnlySpan<byte> signature,
        ReadOnlySpan<byte> signingKey,
        ReadOnlySpan<byte> channelBinding,
        string token) => Ed25519.Verify(signingKey, EnrolmentSignedBytes(channelBinding, token), signature);

    /// <summary>What an enrolled server signs to authenticate.</summary>
    /// <param name="channelBinding">The channel's exporter value.</param>
    /// <param name="server">The server's id.</param>
    /// <param name="name">Its name.</param>
    /// <param name="host">The host name or address that clients are told.</param>
    /// <param name="port">The TCP port that clients are told.</param>
    public static byte[] AuthenticationSignedBytes(
        ReadOnlySpan<byte> channelBinding,
        ServerId server,
        string name,
        string host,
        ushort port)
    {
        var buffer = new ArrayBufferWriter<byte>();
        buffer.Write(AuthenticationLabel);
        buffer.Write(channelBinding);
        var writer = new WireWriter(buffer);
        writer.WriteId(server.Value);
        writer.WriteText(name);
        writer.WriteText(host);
        writer.WriteU16(port);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Verifies the signature of an authentication.</summary>
    /// <param name="signature">64 bytes.</param>
    /// <param name="signingKey">The Ed25519 public key that the server enrolled with, 32 bytes.</param>
    /// <param name="channelBinding">The exporter value of the channel that the request came on.</param>
    /// <param name="server">The server id of the request.</param>
    /// <param name="name">The name of the request.</param>
    /// <param name="host">The host of the request.</param>
    /// <param name="port">The port of the request.</param>
    public static bool IsAuthenticationSigned(
        ReadOnlySpan<byte> signature,
        ReadOnlySpan<byte> signingKey,
        ReadOnlySpan<byte> channelBinding,
        ServerId server,
        string name,
        string host,
        ushort port) =>
        Ed25519.Verify(signingKey, AuthenticationSignedBytes(channelBinding, server, name, host, port), signature);
}
