namespace KerberosMessaging.EndToEnd;

/// <summary>
/// The ratchet public keys of receiving chains that the peer has moved on from. Only the skipped keys can still read
/// a message of such a chain, so any other message of it is a duplicate; without this memory it would look like the
/// start of a new chain and fail like a forgery. Nothing secret is held, and forgetting the oldest is harmless.
/// </summary>
internal sealed class FinishedChains
{
    public const int Max = 64;

    private readonly List<byte[]> _ratchetKeys = [];

    public int ExportSize => sizeof(ushort) + (_ratchetKeys.Count * PublicDeviceIdentity.KeySize);

    public bool Contains(ReadOnlySpan<byte> ratchetKey)
    {
        foreach (var key in _ratchetKeys)
        {
            if (ratchetKey.SequenceEqual(key))
            {
                return true;
            }
        }

        return false;
    }

    public void Add(byte[] ratchetKey)
    {
        if (_ratchetKeys.Count == Max)
        {
            _ratchetKeys.RemoveAt(0);
        }

        _ratchetKeys.Add(ratchetKey);
    }

    public void Write(ref StateWriter writer)
    {
        writer.WriteUInt16((ushort)_ratchetKeys.Count);
        foreach (var key in _ratchetKeys)
        {
            writer.WriteBytes(key);
        }
    }

    public void Read(ref StateReader reader)
    {
        var count = reader.ReadCount(Max);
        for (var i = 0; i < count; i++)
        {
            _ratchetKeys.Add(reader.ReadBytes(PublicDeviceIdentity.KeySize).ToArray());
        }
    }
}
