using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// The message keys passed over in a session (MKSKIPPED of Double Ratchet, section 3.2), in the order in which they
/// were passed. The oldest are given up when there are too many (section 6.4). A search is linear: normally there are
/// none or few, and at the limit it still costs less than the MAC of a message.
/// </summary>
internal sealed class SkippedKeys : IDisposable
{
    /// <summary>
    /// MAX_SKIP of section 3.5: the most keys that one message may make this side pass over in one chain. It counts each
    /// message anew, so that a chain whose messages were lost for good never gets stuck.
    /// </summary>
    public const int MaxSkip = 1000;

    /// <summary>The most keys kept. One message can add twice MAX_SKIP: in the old chain and in the new.</summary>
    public const int MaxTotal = 2 * MaxSkip;

    private readonly List<SkippedKey> _keys = [];

    public int ExportSize => sizeof(ushort) + (_keys.Count * SkippedKey.ExportSize);

    public SkippedKey? Find(ReadOnlySpan<byte> ratchetKey, uint messageNumber)
    {
        foreach (var key in _keys)
        {
            if (key.MessageNumber == messageNumber && ratchetKey.SequenceEqual(key.RatchetKey))
            {
                return key;
            }
        }

        return null;
    }

    public bool HasChain(ReadOnlySpan<byte> ratchetKey)
    {
        foreach (var key in _keys)
        {
            if (ratchetKey.SequenceEqual(key.RatchetKey))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Takes over the keys of consecutive messages.</summary>
    public void Add(byte[] ratchetKey, uint firstMessageNumber, List<SecretBytes> messageKeys)
    {
        var messageNumber = firstMessageNumber;
        foreach (var messageKey in messageKeys)
        {
            _keys.Add(new SkippedKey(ratchetKey, messageNumber++, messageKey));
        }

        var excess = _keys.Count - MaxTotal;
        if (excess > 0)
        {
            foreach (var key in _keys.GetRange(0, excess))
            {
                key.Dispose();
            }

            _keys.RemoveRange(0, excess);
        }
    }

    public void Remove(SkippedKey key)
    {
        _keys.Remove(key);
        key.Dispose();
    }

    public void Write(ref StateWriter writer)
    {
        writer.WriteUInt16((ushort)_keys.Count);
        foreach (var key in _keys)
        {
            writer.WriteBytes(key.RatchetKey);
            writer.WriteUInt32(key.MessageNumber);
            writer.WriteBytes(key.MessageKey.Span);
        }
    }

    public void Read(ref StateReader reader)
    {
        var count = reader.ReadCount(MaxTotal);
        for (var i = 0; i < count; i++)
        {
            var ratchetKey = reader.ReadBytes(PublicDeviceIdentity.KeySize);
            var messageNumber = reader.ReadUInt32();
            var messageKey = reader.ReadBytes(RatchetKdf.KeySize);

            // Keys of one chain share the array, as they do when they are added.
            var shared = i > 0 && ratchetKey.SequenceEqual(_keys[i - 1].RatchetKey) ? _keys[i - 1].RatchetKey : ratchetKey.ToArray();
            _keys.Add(new SkippedKey(shared, messageNumber, new SecretBytes(messageKey)));
        }
    }

    public void Dispose()
    {
        foreach (var key in _keys)
        {
            key.Dispose();
        }

        _keys.Clear();
    }

    public override string ToString() => "[redacted]";
}
