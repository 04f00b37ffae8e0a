namespace KerberosMessaging.Protocol;

/// <summary>What a server has of one device's one-time prekeys of one kind.</summary>
/// <param name="Left">How many are left to hand out.</param>
/// <param name="NewestId">The highest id that was ever uploaded; 0 for none. Ids up to it are not taken again.</param>
/// <param name="Misses">How many fetches found none, since the device first came to the server. It never goes back.</param>
public readonly record struct OneTimePrekeyStock(int Left, uint NewestId, ulong Misses)
{
    internal static OneTimePrekeyStock Read(ref WireReader reader) => new(reader.ReadU16(), reader.ReadU32(), reader.ReadU64());

    internal void Write(WireWriter writer)
    {
        writer.WriteCount(Left);
        writer.WriteU32(NewestId);
        writer.WriteU64(Misses);
    }
}
