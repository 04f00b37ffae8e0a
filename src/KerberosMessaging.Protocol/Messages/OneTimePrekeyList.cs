namespace KerberosMessaging.Protocol.Messages;

/// <summary>A list of one-time prekeys: 2-byte count, then kind (1), id (4) and as many bytes of key as the kind says.</summary>
internal static class OneTimePrekeyList
{
    private const int SmallestEntry = 1 + 4 + ProtocolLimits.X25519PrekeyBytes;

    /// <summary>Reads a list in which no id of a kind comes twice, since within a kind the ids rise.</summary>
    public static OneTimePrekey[] Read(ref WireReader reader, int limit)
    {
        var keys = new OneTimePrekey[reader.ReadCount(limit, SmallestEntry)];
        var (x25519, mlKem768) = (0u, 0u);
        for (var i = 0; i < keys.Length; i++)
        {
            var kind = (OneTimePrekeyKind)reader.ReadU8();
            var size = SizeOf(kind);
            var id = reader.ReadU32();
            ref var newest = ref (kind == OneTimePrekeyKind.X25519 ? ref x25519 : ref mlKem768);
            newest = id > newest ? id : throw Malformed("The ids of one-time prekeys do not rise.");
            keys[i] = new OneTimePrekey(kind, id, reader.ReadFixed(size));
        }

        return keys;
    }

    public static void Write(WireWriter writer, IReadOnlyList<OneTimePrekey> keys)
    {
        writer.WriteCount(keys.Count);
        foreach (var (kind, id, key) in keys)
        {
            writer.WriteU8((byte)kind);
            writer.WriteU32(id);
            writer.WriteFixed(key, SizeOf(kind));
        }
    }

    public static ProtocolException Malformed(string reason) => new(ProtocolError.Malformed, reason);

    private static int SizeOf(OneTimePrekeyKind kind) => kind switch
    {
        OneTimePrekeyKind.X25519 => ProtocolLimits.X25519PrekeyBytes,
        OneTimePrekeyKind.MlKem768 => ProtocolLimits.MlKem768PrekeyBytes,
        _ => throw Malformed("A one-time prekey is of no known kind."),
    };
}
