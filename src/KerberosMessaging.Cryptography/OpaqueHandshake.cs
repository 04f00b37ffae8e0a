using System.Buffers.Binary;
using System.Security.Cryptography;

namespace KerberosMessaging.Cryptography;

/// <summary>The key schedule of 3DH, the same on both sides (RFC 9807 section 6.4.2).</summary>
internal static class OpaqueHandshake
{
    /// <summary>Three Diffie-Hellman results in a row.</summary>
    internal const int InputKeySize = 3 * Ristretto255Group.ElementSize;

    // uint16 length || label length (1) || "OPAQUE-" + label || context length (1) || context
    private const int LongestCustomLabel = 2 + 1 + 32 + 1 + SHA512.HashSizeInBytes;

    /// <summary>Derives both MACs and the session key from the shared secrets and the whole transcript.</summary>
    /// <param name="inputKey">The three Diffie-Hellman results, 96 bytes.</param>
    /// <param name="context">What the application binds the login to.</param>
    /// <param name="clientIdentity">The client's identity, already defaulted to its public key.</param>
    /// <param name="ke1">The client's first message.</param>
    /// <param name="serverIdentity">The server's identity, already defaulted to its public key.</param>
    /// <param name="ke2Head">The server's message without its MAC.</param>
    /// <param name="serverMac">Receives the MAC that completes KE2, 64 bytes.</param>
    /// <param name="clientMac">Receives KE3, 64 bytes.</param>
    /// <param name="sessionKey">Receives the session key, 64 bytes.</param>
    internal static void Derive(
        ReadOnlySpan<byte> inputKey,
        ReadOnlySpan<byte> context,
        ReadOnlySpan<byte> clientIdentity,
        ReadOnlySpan<byte> ke1,
        ReadOnlySpan<byte> serverIdentity,
        ReadOnlySpan<byte> ke2Head,
        Span<byte> serverMac,
        Span<byte> clientMac,
        Span<byte> sessionKey)
    {
        using var transcript = IncrementalHash.CreateHash(HashAlgorithmName.SHA512);
        transcript.AppendData("OPAQUEv1-"u8);
        AppendWithLength(transcript, context);
        AppendWithLength(transcript, clientIdentity);
        transcript.AppendData(ke1);
        AppendWithLength(transcript, serverIdentity);
        transcript.AppendData(ke2Head);

        Span<byte> hash = stackalloc byte[SHA512.HashSizeInBytes];
        Span<byte> keys = stackalloc byte[3 * KeyDerivation.PseudorandomKeySize];
        var extracted = keys[..64];
        var handshakeSecret = keys[64..128];
        var macKey = keys[128..];
        transcript.GetCurrentHash(hash);
        KeyDerivation.Extract(salt: default, inputKey, extracted);
        DeriveSecret(extracted, "HandshakeSecret"u8, hash, handshakeSecret);
        DeriveSecret(extracted, "SessionKey"u8, hash, sessionKey);

        DeriveSecret(handshakeSecret, "ServerMAC"u8, context: default, macKey);
        HMACSHA512.HashData(macKey, hash, serverMac);

        transcript.AppendData(serverMac);
        transcript.GetHashAndReset(hash);
        DeriveSecret(handshakeSecret, "ClientMAC"u8, context: default, macKey);
        HMACSHA512.HashData(macKey, hash, clientMac);
        CryptographicOperations.ZeroMemory(keys);
    }

    /// <summary>Derive-Secret, RFC 9807 section 6.4.2.1.</summary>
    private static void DeriveSecret(
        ReadOnlySpan<byte> secret, ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, Span<byte> output)
    {
        var prefix = "OPAQUE-"u8;
        Span<byte> customLabel = stackalloc byte[LongestCustomLabel];
        BinaryPrimitives.WriteUInt16BigEndian(customLabel, (ushort)output.Length);
        var at = sizeof(ushort);
        customLabel[at++] = (byte)(prefix.Length + label.Length);
        prefix.CopyTo(customLabel[at..]);
        at += prefix.Length;
        label.CopyTo(customLabel[at..]);
        at += label.Length;
        customLabel[at++] = (byte)context.Length;
        context.CopyTo(customLabel[at..]);
        at += context.Length;
        KeyDerivation.ExpandRaw(secret, customLabel[..at], output);
    }

    private static void AppendWithLength(IncrementalHash hash, ReadOnlySpan<byte> value)
    {
        Span<byte> length = stackalloc byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)value.Length);
        hash.AppendData(length);
        hash.AppendData(value);
    }
}
