namespace KerberosMessaging.Cryptography;

/// <summary>The function that makes every guess at a password expensive (the KSF of RFC 9807 section 2.1).</summary>
public enum StretchingAlgorithm : byte
{
    /// <summary>No stretching. Only the published test vectors use it; every public entry point refuses it.</summary>
    Identity = 0,

    /// <summary>Argon2id (RFC 9106), one lane, a salt of 16 zero bytes, 64 bytes of output.</summary>
    Argon2id = 1,

    /// <summary>PBKDF2 with HMAC-SHA-256 (RFC 8018 section 5.2), a salt of 16 zero bytes, 64 bytes of output.</summary>
    Pbkdf2Sha256 = 2,
}
