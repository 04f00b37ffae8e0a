using System.Security.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Tests.Support;

/// <summary>Bytes of the size of a one-time prekey.</summary>
internal static class TestPrekey
{
    public static OneTimePrekey X25519(uint id) =>
        new(OneTimePrekeyKind.X25519, id, RandomNumberGenerator.GetBytes(ProtocolLimits.X25519PrekeyBytes));

    public static OneTimePrekey MlKem768(uint id) =>
        new(OneTimePrekeyKind.MlKem768, id, RandomNumberGenerator.GetBytes(ProtocolLimits.MlKem768PrekeyBytes));

    /// <summary>As many of both kinds, numbered from a place on.</summary>
    public static OneTimePrekey[] Pairs(uint from, int count) =>
        [.. Enumerable.Range(0, count).SelectMany(i => new[] { X25519(from + (uint)i), MlKem768(from + (uint)i) })];
}
