using System.Reflection;
using System.Security.Cryptography;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.AuthServer.Tests.Support;

/// <summary>
/// What OPAQUE makes of a password on the way to its keys (RFC 9807, section 5.2.3). The library keeps it to itself; a
/// test that looks for it on the wire has to reach inside.
/// </summary>
internal static class OpaqueInside
{
    private static readonly FinalizeOprf Finalize = Method<FinalizeOprf>("Oprf", "TryFinalize");
    private static readonly StretchOutput Stretch = Method<StretchOutput>("PasswordStretching", "Stretch");

    private delegate bool FinalizeOprf(ReadOnlySpan<byte> input, ReadOnlySpan<byte> blind, ReadOnlySpan<byte> evaluated, Span<byte> output);

    private delegate void StretchOutput(StretchingParameters parameters, ReadOnlySpan<byte> input, Span<byte> output);

    /// <summary>A registration's secret blind; to be taken before the registration is finished.</summary>
    public static byte[] BlindOf(OpaqueClientRegistration registration) =>
        ((SecretBytes)typeof(OpaqueClientRegistration)
            .GetField("_blind", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(registration)!).Span.ToArray();

    /// <summary>The OPRF's output, the stretched key, and the randomized password that all keys come from.</summary>
    public static (byte[] Output, byte[] Stretched, byte[] Randomized) Derive(
        byte[] password, byte[] blind, byte[] evaluated, StretchingParameters stretching)
    {
        var output = new byte[64];
        var stretched = new byte[64];
        Assert.True(Finalize(password, blind, evaluated, output));
        Stretch(stretching, output, stretched);
        return (output, stretched, HKDF.Extract(HashAlgorithmName.SHA512, [.. output, .. stretched], []));
    }

    private static T Method<T>(string type, string name)
        where T : Delegate =>
        typeof(Opaque).Assembly.GetType($"KerberosMessaging.Cryptography.{type}", throwOnError: true)!
            .GetMethod(name, BindingFlags.Static | BindingFlags.NonPublic)!.CreateDelegate<T>();
}
