using System.Reflection;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.AuthServer.Tests.Support;

/// <summary>
/// OPAQUE without the stretching, which takes a tenth of a second each time. A server cannot know whether a client stretched
/// its password, so for a server's tests it makes no difference. The library refuses to do it: a test has to reach inside.
/// </summary>
internal static class QuickOpaque
{
    private static readonly StretchingParameters None = new(StretchingAlgorithm.Identity, 0, 0);
    private static readonly FinishRegistration Registration = Method<FinishRegistration>(typeof(OpaqueClientRegistration), "TryFinish");
    private static readonly FinishLogin Login = Method<FinishLogin>(typeof(OpaqueClientLogin), "TryFinishUnchecked");

    private delegate bool FinishRegistration(
        OpaqueClientRegistration registration,
        ReadOnlySpan<byte> response,
        StretchingParameters stretching,
        ReadOnlySpan<byte> serverIdentity,
        ReadOnlySpan<byte> clientIdentity,
        ReadOnlySpan<byte> envelopeNonce,
        out OpaqueRegistrationResult? result);

    private delegate bool FinishLogin(
        OpaqueClientLogin login,
        ReadOnlySpan<byte> ke2,
        StretchingParameters stretching,
        ReadOnlySpan<byte> serverIdentity,
        ReadOnlySpan<byte> clientIdentity,
        ReadOnlySpan<byte> context,
        out OpaqueLoginResult? result);

    public static OpaqueRegistrationResult Finish(OpaqueClientRegistration registration, byte[] response)
    {
        Span<byte> nonce = stackalloc byte[32];
        System.Security.Cryptography.RandomNumberGenerator.Fill(nonce);
        Assert.True(Registration(registration, response, None, [], [], nonce, out var result));
        return result!;
    }

    /// <summary>Null where the password is wrong.</summary>
    public static OpaqueLoginResult? Finish(OpaqueClientLogin login, byte[] ke2, ReadOnlyMemory<byte> channelBinding) =>
        Login(login, ke2, None, [], [], LoginProof.OpaqueContext(channelBinding.Span), out var result) ? result : null;

    private static T Method<T>(Type type, string name)
        where T : Delegate =>
        type.GetMethods(BindingFlags.Instance | BindingFlags.NonPublic).Single(method => method.Name == name).CreateDelegate<T>();
}
