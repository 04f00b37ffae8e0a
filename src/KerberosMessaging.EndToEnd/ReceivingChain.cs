using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// A receiving chain: CKr, HKr and Nr of Double Ratchet, section 4.2, and the keys of its messages that were passed over (its share of
/// MKSKIPPED). A chain that the peer has moved on from has no chain key any more, and lives as long as such keys do.
/// <code>
///  header key (64), is open (1: 0 or 1), chain key (32, if open), next message number (4),
///  skipped keys: count (2), count × [message number (4), since (8, Unix seconds), message key (32)]
/// </code>
/// </summary>
internal sealed class ReceivingChain(HeaderKey headerKey, SecretBytes? chainKey, uint next) : IDisposable
{
    /// <summary>
    /// MAX_SKIP of section 3.5: the most keys that one message may make this side pass over in one chain. It counts each
    /// message anew, so that a chain whose messages were lost for good never gets stuck.
    /// </summary>
    public const int MaxSkip = 1000;

    private readonly List<SkippedKey> _skipped = [];
    private SecretBytes? _chainKey = chainKey;

    public HeaderKey HeaderKey { get; } = headerKey;

    /// <summary>The number of the message behind the last one read.</summary>
    public uint Next { get; private set; } = next;

    public bool IsOpen => _chainKey is not null;

    public int SkippedCount => _skipped.Count;

    public SkippedKey? Find(uint messageNumber) => _skipped.Find(key => key.MessageNumber == messageNumber);

    public ChainWalk Walk(int steps) => new(_chainKey!.Span, steps);

    /// <summary>Takes over a walk whose last message was read: the keys before it are kept.</summary>
    public void Pass(ChainWalk walk, DateTimeOffset now)
    {
        Keep(walk, walk.Steps - 1, now);
        Next++;
        walk.ChainKey.CopyTo(_chainKey!.Span);
    }

    /// <summary>Ends the chain: what the walk passes is kept, and no further key can be made.</summary>
    public void Close(ChainWalk walk, DateTimeOffset now)
    {
        Keep(walk, walk.Steps, now);
        _chainKey!.Dispose();
        _chainKey = null;
    }

    public void Remove(SkippedKey key)
    {
        _skipped.Remove(key);
        key.Dispose();
    }

    /// <summary>Gives up the oldest keys.</summary>
    public void RemoveOldest(int count)
    {
        foreach (var key in _skipped.GetRange(0, count))
        {
            key.Dispose();
        }

        _skipped.RemoveRange(0, count);
    }

    /// <summary>Gives up the keys that were passed over before a moment.</summary>
    public void RemoveBefore(DateTimeOffset moment)
    {
        // Keys are appended as time goes by. A clock that was put back makes some live longer, and none shorter.
        var old = _skipped.FindIndex(key => key.Since >= moment);
        RemoveOldest(old < 0 ? _skipped.Count : old);
    }

    public static ReceivingChain Read(ref StateReader reader)
    {
        var headerKey = new HeaderKey(reader.ReadBytes(HeaderKey.Size));
        var chainKey = reader.ReadFlag() ? reader.ReadSecret(RatchetKdf.KeySize) : null;
        var chain = new ReceivingChain(headerKey, chainKey, reader.ReadUInt32());
        var count = reader.ReadCount(MaxSkip);
        for (var i = 0; i < count; i++)
        {
            var messageNumber = reader.ReadUInt32();
            var since = reader.ReadTime();
            chain._skipped.Add(new SkippedKey(messageNumber, since, reader.ReadSecret(RatchetKdf.KeySize)));
        }

        return chain;
    }

    public void Write(ref StateWriter writer)
    {
        writer.WriteBytes(HeaderKey.Span);
        writer.WriteFlag(IsOpen);
        if (_chainKey is not null)
        {
            writer.WriteBytes(_chainKey.Span);
        }

        writer.WriteUInt32(Next);
        writer.WriteUInt16((ushort)_skipped.Count);
        foreach (var key in _skipped)
        {
            writer.WriteUInt32(key.MessageNumber);
            writer.WriteTime(key.Since);
            writer.WriteBytes(key.MessageKey.Span);
        }
    }

    public void Dispose()
    {
        HeaderKey.Dispose();
        _chainKey?.Dispose();
        RemoveOldest(_skipped.Count);
    }

    public override string ToString() => "[redacted]";

    private void Keep(ChainWalk walk, int count, DateTimeOffset now)
    {
        for (var step = 0; step < count; step++)
        {
            _skipped.Add(new SkippedKey(Next++, now, new SecretBytes(walk.MessageKey(step))));
        }

        RemoveOldest(Math.Max(0, _skipped.Count - MaxSkip));
    }
}
