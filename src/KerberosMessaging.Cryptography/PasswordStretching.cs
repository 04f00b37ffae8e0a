using System.Security.Cryptography;
using NSec.Cryptography;

namespace KerberosMessaging.Cryptography;

/// <summary>Stretch of RFC 9807 section 2.1, with an output as long as its input (Nh = 64 bytes).</summary>
internal static class PasswordStretching
{
    // RFC 9807 section 7 sets the salt to zeros: the input is the output of an OPRF under a key of this account's
    // own, so equal passwords of two accounts are already unrelated here.
    private static ReadOnlySpan<byte> Salt => new byte[16];

    internal static void Stretch(StretchingParameters parameters, ReadOnlySpan<byte> input, Span<byte> output) =>
        StretchWith(Salt, parameters, input, output);

    internal static void StretchWith(
        ReadOnlySpan<byte> salt, StretchingParameters parameters, ReadOnlySpan<byte> input, Span<byte> output)
    {
        switch (parameters.Algorithm)
        {
            case StretchingAlgorithm.Identity:
                input.CopyTo(output);
                break;
            case StretchingAlgorithm.Argon2id:
                var costs = new Argon2Parameters
                {
                    DegreeOfParallelism = 1,
                    MemorySize = parameters.MemoryKiB,
                    NumberOfPasses = parameters.Iterations,
                };
                PasswordBasedKeyDerivationAlgorithm.Argon2id(costs).DeriveBytes(input, salt, output);
                break;
            case StretchingAlgorithm.Pbkdf2Sha256:
                Rfc2898DeriveBytes.Pbkdf2(
                    input, salt, output, checked((int)parameters.Iterations), HashAlgorithmName.SHA256);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(parameters), "The stretching function is unknown.");
        }
    }
}
