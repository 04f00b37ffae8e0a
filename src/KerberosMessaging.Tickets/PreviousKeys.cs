using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets;

/// <summary>
/// The export keys of a client's earlier OPAQUE records, sealed under that of the current one. The auth server keeps the
/// sealed list and cannot open it; a device whose store is still sealed under an earlier export key finds that key here.
/// <code>
/// count (1), then so many export keys of 64 bytes, the newest first; sealed with A256CBC-HS512
/// </code>
/// </summary>
public sealed class PreviousKeys : IDisposable
{
    /// <summary>Most keys that are kept.</summary>
    public const int MostKeys = 8;

    private const int KeySize = 64;

    private PreviousKeys(IReadOnlyList<SecretBytes> keys) => Keys = keys;

    /// <summary>The keys, 64 bytes each, the newest first; they are disposed of with this object.</summary>
    public IReadOnlyList<SecretBytes> Keys { get; }

    /// <summary>Zeroes the keys.</summary>
    public void Dispose()
    {
        foreach (var key in Keys)
        {
            key.Dispose();
        }
    }

    /// <summary>Seals a list of keys.</summary>
    /// <param name="exportKey">The current record's export key, 64 bytes.</param>
    /// <param name="keys">Earlier export keys of 64 bytes, the newest first; those after the first <see cref="MostKeys"/> are given up.</param>
    /// <returns>The sealed list, not above <see cref="ProtocolLimits.PreviousKeysBytes"/>.</returns>
    public static byte[] Seal(SecretBytes exportKey, IReadOnlyList<SecretBytes> keys)
    {
        using var buffer = SealedWriter.Rent();
        var writer = new WireWriter(buffer);
        var count = Math.Min(keys.Count, MostKeys);
        writer.WriteU8((byte)count);
        for (var i = 0; i < count; i++)
        {
            writer.WriteFixed(keys[i].Span, KeySize);
        }

        return TicketKeys.Seal(exportKey.Span, TicketKeys.PreviousKeys, buffer.Written, []);
    }

    /// <summary>Opens a sealed list; null when it does not verify. An empty one, as the server has it at first, holds no keys.</summary>
    /// <param name="sealedKeys">As received.</param>
    /// <param name="exportKey">The export key of the login that it came with, 64 bytes.</param>
    public static PreviousKeys? TryOpen(ReadOnlySpan<byte> sealedKeys, SecretBytes exportKey) => sealedKeys.IsEmpty
        ? new PreviousKeys([])
        : SealedPart.TryOpen(exportKey.Span, TicketKeys.PreviousKeys, sealedKeys, [], Read);

    private static PreviousKeys? Read(ref WireReader reader)
    {
        var count = reader.ReadU8();
        if (count > MostKeys || reader.Remaining != count * KeySize)
        {
            return null;
        }

        var keys = new SecretBytes[count];
        for (var i = 0; i < keys.Length; i++)
        {
            keys[i] = SealedPart.ReadSecret(ref reader, KeySize);
        }

        return new PreviousKeys(keys);
    }
}
