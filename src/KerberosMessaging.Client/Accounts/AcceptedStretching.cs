using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Client.Accounts;

/// <summary>The stretching that a server asks for, if it protects the password well enough and does not ruin this device.</summary>
internal static class AcceptedStretching
{
    /// <exception cref="MessagingException">It does not.</exception>
    public static StretchingParameters Of(Stretching stretching)
    {
        var parameters = new StretchingParameters((StretchingAlgorithm)stretching.Algorithm, stretching.Iterations, stretching.MemoryKiB);
        return parameters.IsAcceptable
            ? parameters
            : throw new MessagingException(
                MessagingFailure.StretchingRefused, "the realm asks for password stretching that is weaker or costlier than allowed");
    }
}
