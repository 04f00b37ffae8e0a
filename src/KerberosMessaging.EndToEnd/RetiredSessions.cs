namespace KerberosMessaging.EndToEnd;

/// <summary>
/// The base keys of accepted sessions that are no longer held. Without one-time prekeys nothing else stops the first
/// message of a session from being accepted again once the session is gone (PQXDH, section 4.2). An entry is needed only as long as the
/// signed prekey it was made for is held, for without the prekey the replay cannot be read.
/// </summary>
internal sealed class RetiredSessions
{
    /// <summary>Only the peer itself can make this side retire sessions, so the bound limits what it can make us store.</summary>
    public const int Max = 256;

    private readonly List<(uint SignedPrekeyId, byte[] BaseKey)> _entries = [];

    public bool Contains(ReadOnlySpan<byte> baseKey)
    {
        foreach (var entry in _entries)
        {
            if (baseKey.SequenceEqual(entry.BaseKey))
            {
                return true;
            }
        }

        return false;
    }

    public void Add(Session session)
    {
        if (session.IsInitiator)
        {
            return;
        }

        if (_entries.Count == Max)
        {
            _entries.RemoveAt(0);
        }

        _entries.Add((session.SignedPrekeyId, session.BaseKey));
    }

    public void ForgetUnreadable(DevicePrekeys prekeys) =>
        _entries.RemoveAll(entry => !prekeys.HasSignedPrekey(entry.SignedPrekeyId));

    public void Read(ref StateReader reader)
    {
        var count = reader.ReadCount(Max);
        for (var i = 0; i < count; i++)
        {
            _entries.Add((reader.ReadUInt32(), reader.ReadBytes(PublicDeviceIdentity.KeySize).ToArray()));
        }
    }

    public void Write(ref StateWriter writer)
    {
        writer.WriteUInt16((ushort)_entries.Count);
        foreach (var (signedPrekeyId, baseKey) in _entries)
        {
            writer.WriteUInt32(signedPrekeyId);
            writer.WriteBytes(baseKey);
        }
    }
}
