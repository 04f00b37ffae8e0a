using System.Security.Cryptography;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Transport;

/// <summary>
/// From the X-Wing shared secret and the transcript to the keys of a channel, with HKDF-SHA-512 (RFC 5869).
/// The transcript hash is the salt, so that keys differ as soon as any byte of either hello differs.
/// </summary>
internal static class KeySchedule
{
    public const int SecretSize = 64;
    public const int ChannelBindingSize = 32;

    private const string ClientToServer = "kmsg/25 client to server";
    private const string ServerToClient = "kmsg/25 server to client";
    private const string Exporter = "kmsg/25 channel binding";

    private static readonly byte[] SignatureLabel = "kmsg/25 server hello\0"u8.ToArray();

    /// <summary>What the server signs: a label of its own, so that no other signature of the key can stand here.</summary>
    public static byte[] SignedBytes(ReadOnlySpan<byte> transcriptHash) => [.. SignatureLabel, .. transcriptHash];

    public static ChannelKeys Derive(ReadOnlySpan<byte> sharedSecret, ReadOnlySpan<byte> transcriptHash)
    {
        Span<byte> prk = stackalloc byte[SecretSize];
        KeyDerivation.Extract(transcriptHash, sharedSecret, prk);
        var clientToServer = new SecretBytes(SecretSize);
        KeyDerivation.Expand(prk, ClientToServer, clientToServer.Span);
        var serverToClient = new SecretBytes(SecretSize);
        KeyDerivation.Expand(prk, ServerToClient, serverToClient.Span);
        var binding = new byte[ChannelBindingSize];
        KeyDerivation.Expand(prk, Exporter, binding);
        CryptographicOperations.ZeroMemory(prk);
        return new ChannelKeys(clientToServer, serverToClient, binding);
    }

    /// <summary>The bytes of a whole clear frame: header, size and payload.</summary>
    public static byte[] Frame(IWireMessage message, uint requestId)
    {
        var payload = WireWriter.ToArray(message);
        var frame = new byte[FrameHeader.Size + payload.Length];
        new FrameHeader(default, message.FrameCode, requestId, payload.Length).Write(frame);
        payload.CopyTo(frame, FrameHeader.Size);
        return frame;
    }
}

/// <summary>What the handshake gives: one secret a direction, and the channel binding.</summary>
internal sealed record ChannelKeys(SecretBytes ClientToServer, SecretBytes ServerToClient, byte[] ChannelBinding);
