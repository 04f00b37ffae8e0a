using System.Security.Cryptography;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.MessageServer.Tests.Support;

/// <summary>Bytes with the outer shape of an envelope.</summary>
internal static class TestEnvelope
{
    public static byte[] Make(int blocks = 1)
    {
        var envelope = RandomNumberGenerator.GetBytes(2 + 40 + (16 * blocks) + 32);
        envelope[0] = EnvelopeShape.Version;
        envelope[1] = EnvelopeShape.RatchetKind;
        return envelope;
    }
}
