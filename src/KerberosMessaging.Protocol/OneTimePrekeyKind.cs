namespace KerberosMessaging.Protocol;

/// <summary>The kinds of one-time prekey. Numbers are never reused.</summary>
public enum OneTimePrekeyKind : byte
{
    /// <summary>An X25519 public key, 32 bytes. PQXDH leaves it unsigned.</summary>
    X25519 = 1,

    /// <summary>An ML-KEM-768 encapsulation key with its device's signature, 1184 + 64 bytes.</summary>
    MlKem768 = 2,
}
