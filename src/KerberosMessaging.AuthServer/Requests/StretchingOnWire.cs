using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.AuthServer.Requests;

internal static class StretchingOnWire
{
    public static Stretching ToWire(this StretchingParameters parameters) =>
        new((byte)parameters.Algorithm, parameters.Iterations, parameters.MemoryKiB);

    public static StretchingParameters FromWire(this Stretching stretching) =>
        new((StretchingAlgorithm)stretching.Algorithm, stretching.Iterations, stretching.MemoryKiB);
}
