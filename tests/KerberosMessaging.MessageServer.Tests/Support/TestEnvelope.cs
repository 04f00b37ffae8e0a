using System.Security.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.MessageServer.Tests.Support;

/// <summary>Bytes with the outer shape of an envelope.</summary>
internal static class TestEnvelope
{
    /// <summary>Bytes of an envelope of a running session beside its ciphertext.</summary>
    public const int Overhead = 2 + 2 + HeaderSize + 32;

    /// <summary>As many blocks of ciphertext as the largest one has.</summary>
    public const int MostBlocks = (ProtocolLimits.EnvelopeBytes - Overhead) / 16;

    private const byte HeaderSize = 96;

    public static byte[] Make(int blocks = 1)
    {
        var envelope = RandomNumberGenerator.GetBytes(Overhead + (16 * blocks));
        byte[] start = [EnvelopeShape.Version, EnvelopeShape.RatchetKind, 0, HeaderSize];
        start.CopyTo(envelope, 0);
        return envelope;
    }
}
