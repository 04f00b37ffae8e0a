using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// The private one-time prekeys of one kind, oldest first. A key is erased when a session was started with it (PQXDH, section
/// 3.4); one that nobody uses, because whoever fetched it never wrote, goes when there are too many.
/// <code>
/// count (2), count × [id (4), X25519 private key (32) or ML-KEM-768 seed (64)]
/// </code>
/// </summary>
internal sealed class OneTimePrekeys(int secretSize) : IDisposable
{
    /// <summary>The most keys kept: several times what a message server holds, for those that it has given out.</summary>
    public const int Max = 500;

    private readonly List<(uint Id, SecretBytes Secret)> _keys = [];

    public int Count => _keys.Count;

    public IEnumerable<(uint Id, SecretBytes Secret)> Above(uint id) => _keys.Where(key => key.Id > id);

    public void Add(uint id, SecretBytes secret)
    {
        if (_keys.Count == Max)
        {
            RemoveAt(0);
        }

        _keys.Add((id, secret));
    }

    public SecretBytes? Find(uint id) => _keys.Find(key => key.Id == id).Secret;

    public void Remove(uint id)
    {
        var index = _keys.FindIndex(key => key.Id == id);
        if (index >= 0)
        {
            RemoveAt(index);
        }
    }

    public void Clear()
    {
        while (_keys.Count > 0)
        {
            RemoveAt(_keys.Count - 1);
        }
    }

    public void Read(ref StateReader reader)
    {
        var count = reader.ReadCount(Max);
        for (var i = 0; i < count; i++)
        {
            _keys.Add((reader.ReadUInt32(), reader.ReadSecret(secretSize)));
        }
    }

    public void Write(ref StateWriter writer)
    {
        writer.WriteUInt16((ushort)_keys.Count);
        foreach (var (id, secret) in _keys)
        {
            writer.WriteUInt32(id);
            writer.WriteBytes(secret.Span);
        }
    }

    public void Dispose() => Clear();

    public override string ToString() => "[redacted]";

    private void RemoveAt(int index)
    {
        _keys[index].Secret.Dispose();
        _keys.RemoveAt(index);
    }
}
