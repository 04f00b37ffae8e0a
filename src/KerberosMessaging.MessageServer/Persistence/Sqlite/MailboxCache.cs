using System.Diagnostics.CodeAnalysis;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Persistence.Sqlite;

/// <summary>
/// The mailboxes that the writer has met. It belongs to the writer alone, and this process is the only one that writes, so
/// it is never stale; a client is in it with all its devices or not at all.
/// </summary>
internal sealed class MailboxCache
{
    // About 300 bytes a mailbox: 30 MB.
    private const int MaxClients = 100_000;

    private readonly Dictionary<ClientId, List<CachedMailbox>> _byClient = [];
    private readonly Dictionary<long, CachedMailbox> _byId = [];

    public bool TryGet(ClientId client, [NotNullWhen(true)] out List<CachedMailbox>? mailboxes) =>
        _byClient.TryGetValue(client, out mailboxes);

    public CachedMailbox? Find(long mailbox) => _byId.GetValueOrDefault(mailbox);

    public void Add(ClientId client, List<CachedMailbox> mailboxes)
    {
        _byClient.Add(client, mailboxes);
        mailboxes.ForEach(mailbox => _byId.Add(mailbox.Id, mailbox));
    }

    /// <summary>Adds a device to a client that is in the cache.</summary>
    public void AddDevice(CachedMailbox mailbox)
    {
        _byClient[mailbox.Device.Client].Add(mailbox);
        _byId.Add(mailbox.Id, mailbox);
    }

    /// <summary>Forgets a device; a client without any is not in the cache.</summary>
    public void RemoveDevice(DeviceAddress device)
    {
        if (_byClient.TryGetValue(device.Client, out var mailboxes)
            && mailboxes.Find(mailbox => mailbox.Device == device) is { } mailbox)
        {
            mailboxes.Remove(mailbox);
            _byId.Remove(mailbox.Id);
            if (mailboxes.Count == 0)
            {
                _byClient.Remove(device.Client);
            }
        }
    }

    /// <summary>Forgets everything; only between transactions, because inside one it may know more than the database.</summary>
    public void Clear()
    {
        _byClient.Clear();
        _byId.Clear();
    }

    /// <summary>Keeps the cache bounded; only between transactions.</summary>
    public void Trim()
    {
        if (_byClient.Count > MaxClients)
        {
            Clear();
        }
    }
}
