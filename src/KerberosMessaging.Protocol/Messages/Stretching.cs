namespace KerberosMessaging.Protocol.Messages;

/// <summary>A password stretching function with its parameters. 9 bytes.</summary>
/// <param name="Algorithm">1 Argon2id (RFC 9106), 2 PBKDF2-HMAC-SHA-256 (RFC 8018).</param>
/// <param name="Iterations">Passes.</param>
/// <param name="MemoryKiB">Memory in KiB; 0 for PBKDF2.</param>
public readonly record struct Stretching(byte Algorithm, uint Iterations, uint MemoryKiB)
{
    /// <summary>Reads the 9 bytes.</summary>
    public static Stretching Read(ref WireReader reader) => new(reader.ReadU8(), reader.ReadU32(), reader.ReadU32());

    /// <summary>Writes the 9 bytes.</summary>
    public void Write(WireWriter writer)
    {
        writer.WriteU8(Algorithm);
        writer.WriteU32(Iterations);
        writer.WriteU32(MemoryKiB);
    }
}
