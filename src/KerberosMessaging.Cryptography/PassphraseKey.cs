namespace KerberosMessaging.Cryptography;

/// <summary>
/// A key from a passphrase alone, for what is kept in files: no server takes part, so a salt of the file's own keeps guesses at one
/// file from being guesses at another.
/// </summary>
public static class PassphraseKey
{
    /// <summary>The size of the salt in bytes.</summary>
    public const int SaltSize = 16;

    /// <summary>The size of the key in bytes, ready for <see cref="KeyDerivation.Expand(ReadOnlySpan{byte}, string, Span{byte})"/>.</summary>
    public const int Size = KeyDerivation.PseudorandomKeySize;

    /// <summary>Stretches a passphrase. It takes as much time and memory as the parameters say.</summary>
    /// <param name="parameters">The costs.</param>
    /// <param name="salt">Random bytes that are kept with what the key is for, 16 bytes.</param>
    /// <param name="passphrase">The passphrase, of any length.</param>
    /// <returns>The key, 64 bytes; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">The salt is not 16 bytes long, or the costs are out of bounds.</exception>
    public static SecretBytes Derive(StretchingParameters parameters, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> passphrase)
    {
        Require.Length(salt, SaltSize);
        if (!parameters.IsAcceptable)
        {
            throw new ArgumentException("The stretching is weaker or costlier than allowed.", nameof(parameters));
        }

        var key = new SecretBytes(Size);
        PasswordStretching.StretchWith(salt, parameters, passphrase, key.Span);
        return key;
    }
}
