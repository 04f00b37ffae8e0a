using KerberosMessaging.Client.Store;
using KerberosMessaging.EndToEnd;

namespace KerberosMessaging.Client.Conversations;

/// <summary>This device as others see it: its identity, held while the client is open, and what vouches for it.</summary>
internal sealed class ThisDevice : IDisposable
{
    private volatile byte[] _credentials;

    private ThisDevice(Account account, DeviceIdentity identity, byte[] link)
    {
        Account = account;
        Identity = identity;
        _credentials = new Credentials(account.Certificate, link).ToBytes();
    }

    public Account Account { get; }

    public DeviceIdentity Identity { get; }

    /// <summary>What goes with the first messages of a session.</summary>
    public byte[] Credentials => _credentials;

    public static ThisDevice Load(LocalStore store, Account account) => store.Read(transaction =>
        new ThisDevice(account, DeviceKeys.Identity(transaction), AccountKey.LoadLink(transaction)));

    /// <summary>Takes a link that was made for this device; sessions that start from now on carry it.</summary>
    public void SetLink(byte[] link) => _credentials = new Credentials(Account.Certificate, link).ToBytes();

    public void Dispose() => Identity.Dispose();

    public override string ToString() => "[redacted]";
}
