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

    private static readonly byte[] TranscriptLabel = "kmsg/25 handshake\0"u8.ToArray();
    private static readonly byte[] SignatureLabel = "kmsg/25 server hello\0"u8.ToArray();

    /// <summary>SHA-512 over label, client hello frame and the first <paramref name="serverHello"/> bytes given.</summary>
    public static byte[] TranscriptHash(ReadOnlySpan<byte> clientHello, ReadOnlySpan<byte> serverHello)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA512);
        hash.AppendData(TranscriptLabel);
        hash.AppendData(clientHello);
        hash.AppendData(serverHello);
        return hash.GetHashAndReset();
    }

    /// <summary>What the server signs: a label of its own, so that no other signature of the key can stand here.</summary>
    public static byte[] SignedBytes(ReadOnlySpan<byte> transcriptHash) => [.. SignatureLabel, .. transcriptHash];

    public static ChannelKeys Derive(ReadOnlySpan<byte> sharedSecret, ReadOnlySpan<byte> transcriptHash)
    {
        using var prk = new SecretBytes(SecretSize);
        KeyDerivation.Extract(transcriptHash, sharedSecret, prk.Span);
        var clientToServer = new SecretBytes(SecretSize);
        KeyDerivation.Expand(prk.Span, ClientToServer, clientToServer.Span);
        var serverToClient = new SecretBytes(SecretSize);
        KeyDerivation.Expand(prk.Span, ServerToClient, serverToClient.Span);
        var binding = new byte[ChannelBindingSize];
        KeyDerivation.Expand(prk.Span, Exporter, binding);
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
