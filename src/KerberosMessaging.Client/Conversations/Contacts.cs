using KerberosMessaging.Client.Connections;
using KerberosMessaging.Client.Store;
using KerberosMessaging.Cryptography;
using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Client.Conversations;

/// <summary>
/// Who is who: certificates are checked with the realm key, account keys and device identities are pinned at first sight and never
/// silently replaced. A device that the pinned account key does not vouch for is not taken for the contact's; another
/// account key blocks sending until the user accepts it.
/// </summary>
internal sealed class Contacts(LocalStore store, IRequester auth, Account account, MessagingOptions options)
{
    // What a look-up told serves for a while: message servers name devices that came or went since.
    private static readonly TimeSpan LookUpLifetime = TimeSpan.FromMinutes(10);

    /// <summary>Finds a client: in the store if it was looked up lately, otherwise by asking the realm.</summary>
    /// <exception cref="MessagingException">Unknown, or not who it was.</exception>
    public Task<Peer> FindAsync(string name, CancellationToken cancellationToken) =>
        store.Read(transaction => FindRecent(transaction, name)) is { } recent
            ? Task.FromResult(recent)
            : LookUpAsync(name, cancellationToken);

    /// <summary>Asks the realm for a client and checks the answer against what is known.</summary>
    /// <exception cref="MessagingException">Unknown, or not who it was.</exception>
    public async Task<Peer> LookUpAsync(string name, CancellationToken cancellationToken)
    {
        var found = await auth.RequestAsync<ClientFound>(
            new LookUpClientRequest(ClientNames.Check(name)), cancellationToken).ConfigureAwait(false);
        try
        {
            return Take(found, name);
        }
        catch (MessagingException e) when (e.Failure == MessagingFailure.IdentityChanged)
        {
            // What was learnt before does not serve any longer, so that nothing is sent until the realm's answer is in order again.
            store.Write(transaction =>
            {
                if (transaction.FindContact(name) is { } client && transaction.GetRoute(client) is { } route)
                {
                    transaction.SetRoute(client, route with { LookedUpAt = DateTimeOffset.UnixEpoch });
                }
            });
            throw;
        }
    }

    /// <summary>A client as the store knows it; null for one that was never looked up.</summary>
    public Peer? FindKnown(StoreTransaction transaction, ClientId client) =>
        transaction.FindContactName(client) is { } name
            ? Load(transaction, client, name, transaction.GetRoute(client)?.HomeServer ?? default)
            : null;

    /// <summary>Refuses to send to a contact whose account key is another one.</summary>
    public static void RefuseIfChanged(Peer peer)
    {
        if (peer.Verification == ContactVerification.Changed)
        {
            throw new MessagingException(
                MessagingFailure.IdentityChanged,
                $"the identity of {peer.Name} changed; compare the safety number anew, or accept the change, before sending");
        }
    }

    /// <summary>Describes a contact with the safety number; null while one of the two sides has no account key.</summary>
    public Contact? Describe(Peer peer) => store.Read(transaction =>
    {
        var own = transaction.GetContactKey(account.Client).Pinned;
        var key = transaction.GetContactKey(peer.Client);
        var accountKey = key.Seen.Length > 0 ? key.Seen : key.Pinned;
        return own.Length == 0 || accountKey.Length == 0
            ? null
            : new Contact(
                peer.Name,
                peer.Client,
                SafetyNumber.Compute(
                    account.Client.Value.ToByteArray(bigEndian: true), own, peer.Client.Value.ToByteArray(bigEndian: true), accountKey),
                peer.Verification,
                [.. peer.Devices.Select(static device => new ContactDevice(device.Device, device.Standing, device.FirstSeenAt))])
            {
                AccountKey = accountKey,
            };
    });

    /// <summary>The contacts in the store, by name, without asking the realm. Those that have no account key yet are left out.</summary>
    public IReadOnlyList<Contact> List() =>
    [
        .. store.Read(transaction => transaction.ListContacts()
                .Where(contact => contact.Client != account.Client)
                .Select(contact => FindKnown(transaction, contact.Client)!)
                .ToList())
            .Select(Describe)
            .OfType<Contact>()
            .OrderBy(static contact => contact.Name, StringComparer.Ordinal),
    ];

    /// <summary>Pins the account key that a contact was described with: as verified, or as merely accepted.</summary>
    public void Accept(Contact contact, bool isVerified) => store.Write(transaction =>
        transaction.SetContactKey(contact.Client, new ContactKey(contact.AccountKey, [], isVerified)));

    /// <summary>Takes a device for its client's although no account key vouches for it.</summary>
    public void AcceptDevice(ClientId client, DeviceId device) => store.Write(transaction =>
    {
        var known = transaction.FindDevice(client, device)
            ?? throw new MessagingException(MessagingFailure.UnknownDevice, "the contact has no such device");
        transaction.PutDevice(client, known with { IsAccepted = true });
    });

    /// <summary>
    /// Judges the credentials of a sender and pins the device; null where they are not to be trusted.
    /// </summary>
    public CertifiedDevice? PinSender(StoreTransaction transaction, Deliver delivery, ReadOnlySpan<byte> credentials)
    {
        if (Credentials.TryRead(credentials)?.Verify(account.RealmKey) is not { } device
            || device.Client != delivery.Sender
            || device.Device != delivery.SenderDevice
            || device.ClientName != delivery.SenderName)
        {
            return null;
        }

        try
        {
            PinName(transaction, device.Client, device.ClientName);
            PinDevice(transaction, device, isListed: false);
            if (transaction.GetContactKey(device.Client).Pinned.Length == 0)
            {
                PinAccountKey(transaction, device.Client, [device]);
            }

            return device;
        }
        catch (MessagingException e) when (e.Failure == MessagingFailure.IdentityChanged)
        {
            return null;
        }
    }

    /// <summary>Whether messages go to a device of this standing and are taken from it, by the policy of this client.</summary>
    public bool IsTaken(DeviceStanding standing) =>
        standing != DeviceStanding.Unlinked || options.UnlinkedDevices == UnlinkedDevicePolicy.Accept;

    /// <summary>Why a device is taken for its client's, or why not.</summary>
    public DeviceStanding StandingOf(StoreTransaction transaction, ClientId client, StoredDevice device)
    {
        if (device.IsAccepted)
        {
            return DeviceStanding.Accepted;
        }

        // Of its own client a device knows no account key but the one that it holds: before it is linked the realm could list any.
        var pinned = client == account.Client && !OwnsAccountKey(transaction) ? [] : transaction.GetContactKey(client).Pinned;
        return pinned.Length > 0 && LinkedBy(device.Link).SequenceEqual(pinned) ? DeviceStanding.Linked : DeviceStanding.Unlinked;
    }

    // Whoever could not be written to then may be able to receive by now, and a device that was not linked may be: of that no message
    // server tells.
    private Peer? FindRecent(StoreTransaction transaction, string name) =>
        transaction.FindContact(name) is { } client
        && transaction.GetRoute(client) is { } route
        && (options.Time.GetUtcNow() - route.LookedUpAt).Duration() < LookUpLifetime
        && Load(transaction, client, name, route.HomeServer) is var peer
        && peer.Devices.Any(device => device.Device != account.Device)
        && peer.Devices.All(static device => device.Standing != DeviceStanding.Unlinked)
            ? peer
            : null;

    private Peer Load(StoreTransaction transaction, ClientId client, string name, ServerId homeServer)
    {
        var key = transaction.GetContactKey(client);
        return new Peer(
            client,
            name,
            homeServer,
            key.Seen.Length > 0 ? ContactVerification.Changed : key.IsVerified ? ContactVerification.Verified : ContactVerification.Unverified,
            [.. transaction.ListDevices(client)
                .Where(static device => device.IsListed)
                .Select(device => new PeerDevice(device.Device, device.Identity, StandingOf(transaction, client, device), device.FirstSeenAt))]);
    }

    private Peer Take(ClientFound found, string name)
    {
        var devices = Verify(found);
        if (!ClientNames.AreSame(found.Name, name))
        {
            // Its certificates may well be in order, but they are someone else's.
            throw new MessagingException(
                MessagingFailure.IdentityChanged, $"the realm gave another client than {name}; nothing was sent to it");
        }

        return store.Write(transaction =>
        {
            PinName(transaction, found.Client, found.Name);
            foreach (var gone in transaction.ListDevices(found.Client).Where(known => known.IsListed && devices.All(device => device.Device != known.Device)))
            {
                transaction.PutDevice(found.Client, gone with { IsListed = false });
            }

            foreach (var device in devices)
            {
                PinDevice(transaction, device, isListed: true);
            }

            PinAccountKey(transaction, found.Client, devices);
            transaction.SetRoute(found.Client, new ContactRoute(found.HomeServer, options.Time.GetUtcNow()));
            return Load(transaction, found.Client, found.Name, found.HomeServer);
        });
    }

    // A stored link verified when it was put there; its account key stands behind the version byte.
    private static ReadOnlySpan<byte> LinkedBy(byte[] link) => link.Length == 0 ? [] : link.AsSpan(1, Ed25519.PublicKeySize);

    private List<CertifiedDevice> Verify(ClientFound found)
    {
        var devices = new List<CertifiedDevice>();
        foreach (var (certificate, link) in found.Devices)
        {
            if (new Credentials(certificate, link).Verify(account.RealmKey) is not { } device
                || device.Client != found.Client
                || device.ClientName != found.Name)
            {
                throw new MessagingException(
                    MessagingFailure.IdentityChanged, "a device certificate of the recipient is not of this realm or not its own");
            }

            devices.Add(device);
        }

        return devices;
    }

    private static void PinName(StoreTransaction transaction, ClientId client, string name)
    {
        var knownClient = transaction.FindContact(name);
        var knownName = transaction.FindContactName(client);
        if (knownClient is null && knownName is null)
        {
            transaction.AddContact(client, name);
        }
        else if (knownClient != client)
        {
            throw Changed(name);
        }
    }

    private void PinDevice(StoreTransaction transaction, CertifiedDevice device, bool isListed)
    {
        var pinned = transaction.FindDevice(device.Client, device.Device);
        if (pinned is not null && !pinned.Identity.Equals(device.Identity))
        {
            throw Changed(device.ClientName);
        }

        // A sender may not know of its own link yet, and its message says nothing of whether it was removed since.
        var link = device.Link.Length > 0 || isListed ? device.Link : pinned?.Link ?? [];
        var stored = pinned is null
            ? new StoredDevice(device.Device, device.Identity, link, false, isListed, options.Time.GetUtcNow())
            : pinned with { Link = link, IsListed = isListed || pinned.IsListed };
        if (pinned is null || !pinned.Link.AsSpan().SequenceEqual(link) || pinned.IsListed != stored.IsListed)
        {
            transaction.PutDevice(device.Client, stored);
        }
    }

    /// <summary>
    /// Pins the account key of the oldest linked device at first sight. Another key, while no device is linked by the pinned one, is a
    /// changed identity; beside devices that are, it only means devices that are not linked.
    /// </summary>
    private void PinAccountKey(StoreTransaction transaction, ClientId client, IReadOnlyCollection<CertifiedDevice> devices)
    {
        var key = transaction.GetContactKey(client);
        var oldest = devices.Where(static device => device.Link.Length > 0).MinBy(static device => device.Serial);
        if (oldest is null || (client == account.Client && OwnsAccountKey(transaction)))
        {
            return;
        }

        var seen = LinkedBy(oldest.Link).ToArray();
        var pinned = key.Pinned;
        var next = pinned.Length == 0 ? key with { Pinned = seen }
            : devices.Any(device => LinkedBy(device.Link).SequenceEqual(pinned)) ? key with { Seen = [] }
            : key with { Seen = seen };
        transaction.SetContactKey(client, next);
    }

    // Its own knowledge of the key is better than anybody's word.
    private static bool OwnsAccountKey(StoreTransaction transaction)
    {
        using var key = AccountKey.Load(transaction);
        return key is not null;
    }

    private static MessagingException Changed(string name) => new(
        MessagingFailure.IdentityChanged, $"{name} is not the client that was known under this name, or its device has other keys");
}
