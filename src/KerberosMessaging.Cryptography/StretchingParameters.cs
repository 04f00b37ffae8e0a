namespace KerberosMessaging.Cryptography;

/// <summary>
/// How a password is stretched. The parameters are recorded at registration and told to the client at login by a
/// server it has not yet authenticated, so the client judges them with <see cref="IsAcceptable"/>.
/// </summary>
/// <param name="Algorithm">The stretching function.</param>
/// <param name="Iterations">Argon2id: passes over the memory. PBKDF2: iterations.</param>
/// <param name="MemoryKiB">Argon2id: memory in KiB. PBKDF2: zero.</param>
public readonly record struct StretchingParameters(StretchingAlgorithm Algorithm, uint Iterations, uint MemoryKiB)
{
    private const uint LeastArgonPasses = 3;
    private const uint MostArgonPasses = 16;
    private const uint LeastArgonMemoryKiB = 64 * 1024;
    private const uint MostArgonMemoryKiB = 1024 * 1024;
    private const uint LeastPbkdf2Iterations = 600_000;
    private const uint MostPbkdf2Iterations = 10_000_000;

    /// <summary>Argon2id with 3 passes over 64 MiB, the second recommendation of RFC 9106 section 4.</summary>
    public static StretchingParameters Default => new(StretchingAlgorithm.Argon2id, LeastArgonPasses, LeastArgonMemoryKiB);

    /// <summary>PBKDF2 with 600,000 iterations, for realms that may use nothing else.</summary>
    public static StretchingParameters Pbkdf2Default =>
        new(StretchingAlgorithm.Pbkdf2Sha256, LeastPbkdf2Iterations, MemoryKiB: 0);

    /// <summary>
    /// Whether a client may go along: not so cheap that a lying server could guess the password from the answer,
    /// not so dear that it could exhaust the client. Argon2id: 3 to 16 passes, 64 MiB to 1 GiB. PBKDF2: 600,000 to
    /// 10,000,000 iterations and no memory.
    /// </summary>
    public bool IsAcceptable => Algorithm switch
    {
        StretchingAlgorithm.Argon2id =>
            Iterations is >= LeastArgonPasses and <= MostArgonPasses
            && MemoryKiB is >= LeastArgonMemoryKiB and <= MostArgonMemoryKiB,
        StretchingAlgorithm.Pbkdf2Sha256 =>
            Iterations is >= LeastPbkdf2Iterations and <= MostPbkdf2Iterations && MemoryKiB == 0,
        _ => false,
    };
}
