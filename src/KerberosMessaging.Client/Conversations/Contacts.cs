using System.Security.Cryptography;
using System.Text;
using KerberosMessaging.Client.Connections;
using KerberosMessaging.Client.Store;
using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.Client.Conversations;

/// <summary>A peer as looked up: its devices' certificates verified, their identities pinned.</summary>
internal sealed record Peer(ClientId Client, string Name, ServerId HomeServer, IReadOnlyList<PeerDevice> Devices);

/// <summary>A device of a peer.</summary>
internal sealed record PeerDevice(DeviceId Device, PublicDeviceIdentity Identity);

/// <summary>
/// Who is who: certificates are checked with the realm key, identities are pinned at first sight and never silently
/// replaced, and a verified contact whose safety number changes blocks sending.
/// </summary>
internal sealed class Contacts(LocalStore store, AuthSession auth, Account account, TimeProvider time)
{
    /// <summary>Looks a client up and checks it against what is known.</summary>
    /// <exception cref="MessagingException">Unknown, or not who it was.</exception>
    public async Task<Peer> FindAsync(string name, CancellationToken cancellationToken)
    {
        var peer = Verify(await auth.RequestAsync<ClientFound>(
            new LookUpClientRequest(ClientNames.Check(name)), cancellationToken).ConfigureAwait(false));
        if (!ClientNames.AreSame(peer.Name, name))
        {
            // Its certificates may well be in order, but they are someone else's.
            throw new MessagingException(
                MessagingFailure.IdentityChanged, $"the realm gave another client than {name}; nothing was sent to it");
        }

        store.Write(transaction => Pin(transaction, peer));
        return peer;
    }

    /// <summary>Refuses to send to a contact whose safety number is not the verified one.</summary>
    public void RefuseIfChanged(Peer peer)
    {
        if (Describe(peer).Verification == ContactVerification.Changed)
        {
            throw new MessagingException(
                MessagingFailure.IdentityChanged,
                $"the safety number of {peer.Name} changed since it was verified; compare it anew before sending");
        }
    }

    public Contact Describe(Peer peer) => store.Read(transaction =>
    {
        var own = transaction.ListDevices(account.Client).ConvertAll(static device => device.Identity);
        using var identity = DeviceKeys.Identity(transaction);
        if (!own.Contains(identity.Public))
        {
            own.Add(identity.Public);
        }

        var digits = SafetyNumber.Compute(
            account.Client.Value.ToByteArray(bigEndian: true),
            own,
            peer.Client.Value.ToByteArray(bigEndian: true),
            peer.Devices.Select(static device => device.Identity));
        var key = transaction.GetContactKey(peer.Client);
        return new Contact(peer.Name, peer.Client, digits, key switch
        {
            { IsVerified: false } => ContactVerification.Unverified,
            _ when key.Pinned.AsSpan().SequenceEqual(DigestOf(digits)) => ContactVerification.Verified,
            _ => ContactVerification.Changed,
        });
    });

    public void SetVerified(Contact contact) =>
        store.Write(transaction => transaction.SetContactKey(
            contact.Client, new ContactKey(DigestOf(contact.SafetyNumber), [], IsVerified: true)));

    /// <summary>Checks a sender's certificate and pins it; null when it is not to be trusted.</summary>
    public PublicDeviceIdentity? PinSender(StoreTransaction transaction, Deliver delivery, ReadOnlySpan<byte> certificate)
    {
        if (DeviceCertificate.TryRead(certificate, account.RealmKey) is not { } read
            || read.Client != delivery.Sender
            || read.Device != delivery.SenderDevice
            || read.ClientName != delivery.SenderName)
        {
            return null;
        }

        var identity = new PublicDeviceIdentity(read.SigningKey, read.AgreementKey);
        try
        {
            Pin(transaction, new Peer(read.Client, read.ClientName, default, [new PeerDevice(read.Device, identity)]));
            return identity;
        }
        catch (MessagingException e) when (e.Failure == MessagingFailure.IdentityChanged)
        {
            return null;
        }
    }

    private Peer Verify(ClientFound found)
    {
        var devices = new List<PeerDevice>();
        foreach (var bytes in found.Certificates)
        {
            if (DeviceCertificate.TryRead(bytes, account.RealmKey) is not { } certificate
                || certificate.Client != found.Client
                || certificate.ClientName != found.Name)
            {
                throw new MessagingException(
                    MessagingFailure.IdentityChanged, "a device certificate of the recipient is not of this realm or not its own");
            }

            devices.Add(new PeerDevice(
                certificate.Device, new PublicDeviceIdentity(certificate.SigningKey, certificate.AgreementKey)));
        }

        return new Peer(found.Client, found.Name, found.HomeServer, devices);
    }

    private void Pin(StoreTransaction transaction, Peer peer)
    {
        var knownClient = transaction.FindContact(peer.Name);
        var knownName = transaction.FindContactName(peer.Client);
        if (knownClient is null && knownName is null)
        {
            transaction.AddContact(peer.Client, peer.Name);
        }
        else if (knownClient != peer.Client)
        {
            throw Changed(peer);
        }

        foreach (var (device, identity) in peer.Devices)
        {
            var pinned = transaction.FindDevice(peer.Client, device)?.Identity;
            if (pinned is null)
            {
                transaction.PutDevice(
                    peer.Client, new StoredDevice(device, identity, [], IsAccepted: false, IsListed: true, time.GetUtcNow()));
            }
            else if (!pinned.Equals(identity))
            {
                throw Changed(peer);
            }
        }
    }

    // What was compared stands in the place of the account key: both are 32 bytes.
    private static byte[] DigestOf(string safetyNumber) => SHA256.HashData(Encoding.ASCII.GetBytes(safetyNumber));

    private static MessagingException Changed(Peer peer) => new(
        MessagingFailure.IdentityChanged, $"{peer.Name} is not the client that was known under this name, or its device has other keys");
}
