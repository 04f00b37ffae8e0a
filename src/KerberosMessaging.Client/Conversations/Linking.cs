using System.Security.Cryptography;
using KerberosMessaging.Client.Connections;
using KerberosMessaging.Client.Store;
using KerberosMessaging.Cryptography;
using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.Client.Conversations;

/// <summary>
/// The account key and the links that it makes: the first device of a client makes the key; each further one gets it from one that has it,
/// end to end encrypted, with a code that was carried between the two by a person, so that no server can add a device
/// unseen.
/// </summary>
internal sealed class Linking(
    LocalStore store, ThisDevice self, Contacts contacts, IRequester auth, Sender sender, ServerClock clock, MessagingOptions options)
{
    private const string CodeSetting = "link code";

    private Account Account => self.Account;

    /// <summary>Whether this device has the account key.</summary>
    public bool IsLinked => store.Read(static transaction =>
    {
        using var key = AccountKey.Load(transaction);
        return key is not null;
    });

    /// <summary>The code that this device waits to be linked with; null where it does not.</summary>
    public static LinkCode? LoadCode(StoreTransaction transaction)
    {
        using var text = transaction.GetSetting(CodeSetting);
        return text is not null && LinkCode.TryParse(System.Text.Encoding.ASCII.GetString(text.Span), out var code) ? code : null;
    }

    public static void ForgetCode(StoreTransaction transaction) => transaction.RemoveSettings(CodeSetting);

    /// <summary>
    /// Makes the account key where the realm lists no linked device of this client, and sees to it that the realm has this device's link
    /// where there is a key. A device of a client that has a key elsewhere stays as it is, until it is linked.
    /// </summary>
    /// <returns>The own client, as the realm lists it.</returns>
    public async Task<Peer> EnsureAsync(CancellationToken cancellationToken)
    {
        var own = await contacts.LookUpAsync(Account.Name, cancellationToken).ConfigureAwait(false);
        var link = store.Write(transaction =>
        {
            using var key = AccountKey.Load(transaction);
            if (key is not null)
            {
                var mine = Sign(key, Account.Device, self.Identity.Public);
                AccountKey.SaveLink(transaction, mine);
                self.SetLink(mine);
                var listed = transaction.FindDevice(Account.Client, Account.Device)?.Link ?? [];

                // A link by another key is another device's word against this one's: it stays, and this device can be linked with a code.
                return listed.Length == 0 ? mine : null;
            }

            // Whoever is listed with a link has the key, whether this device believes it or not.
            if (transaction.ListDevices(Account.Client).Exists(static device => device is { IsListed: true, Link.Length: > 0 })
                || IsWaiting(transaction))
            {
                return null;
            }

            using var made = Ed25519PrivateKey.Generate();
            using var seed = made.ExportSeed();
            AccountKey.Save(transaction, seed.Span);
            transaction.SetContactKey(Account.Client, new ContactKey(made.PublicKey.ToArray(), [], false));
            var first = Sign(made, Account.Device, self.Identity.Public);
            AccountKey.SaveLink(transaction, first);
            self.SetLink(first);
            return first;
        });
        if (link is null)
        {
            return own;
        }

        await auth.RequestAsync<Done>(new LinkDeviceRequest(Account.Device, link), cancellationToken).ConfigureAwait(false);
        store.Write(transaction =>
        {
            if (transaction.FindDevice(Account.Client, Account.Device) is { } device)
            {
                transaction.PutDevice(Account.Client, device with { Link = link });
            }
        });
        return own;
    }

    /// <summary>Makes a code to be taken to a linked device. The one before it is void.</summary>
    public string StartLinking()
    {
        if (store.Read(IsSettled))
        {
            throw new MessagingException(MessagingFailure.Refused, "this device is linked already");
        }

        using var code = LinkCode.Create(
            Account.Client.Value.ToByteArray(bigEndian: true), Account.Device.Value.ToByteArray(bigEndian: true), self.Identity.Public);
        var text = code.Reveal();
        store.Write(transaction => transaction.SetSetting(CodeSetting, System.Text.Encoding.ASCII.GetBytes(text)));
        return text;
    }

    /// <summary>Links the device that shows a code: finds it by the fingerprint, has the realm list its link, and passes the account key on.</summary>
    public async Task<DeviceId> ApproveAsync(string text, CancellationToken cancellationToken)
    {
        if (!LinkCode.TryParse(text, out var code))
        {
            throw new MessagingException(MessagingFailure.LinkRefused, "a link code has 40 letters and digits; this one is incomplete or mistyped");
        }

        using (code)
        {
            var own = await Retry.RunAsync(
                options, token => contacts.LookUpAsync(Account.Name, token), cancellationToken).ConfigureAwait(false);
            var client = Account.Client.Value.ToByteArray(bigEndian: true);
            var device = own.Devices.FirstOrDefault(
                    candidate => code.IsOf(client, candidate.Device.Value.ToByteArray(bigEndian: true), candidate.Identity))
                ?? throw new MessagingException(
                    MessagingFailure.LinkRefused, "no device of this account made that code; log in there with this account first, and copy the code it shows");
            if (device.Device == Account.Device)
            {
                throw new MessagingException(MessagingFailure.LinkRefused, "this device made that code itself");
            }

            using var key = store.Read(AccountKey.Load)
                ?? throw new MessagingException(MessagingFailure.LinkRefused, "this device is not linked itself");
            using var seed = key.ExportSeed();
            var link = Sign(key, device.Device, device.Identity);
            await Retry.RunAsync(
                options,
                token => auth.RequestAsync<Done>(new LinkDeviceRequest(device.Device, link), token),
                cancellationToken).ConfigureAwait(false);
            await contacts.LookUpAsync(Account.Name, cancellationToken).ConfigureAwait(false);

            var proof = code.Prove(key.PublicKey.Span, device.Identity, self.Identity.Public);
            var body = ControlMessages.OfAccountKey(seed, proof);
            try
            {
                await sender.SendControlAsync(
                    Account.Client,
                    device.Device,
                    new MessageContent(MessageKind.AccountKey, clock.Now, body),
                    inNewSession: false,
                    inTransaction: null,
                    cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(body);
            }

            return device.Device;
        }
    }

    // Two devices that log in first at the same moment each make a key; then the one is linked by the other after all.
    private bool IsSettled(StoreTransaction transaction)
    {
        using var key = AccountKey.Load(transaction);
        return key is not null
            && transaction.ListDevices(Account.Client)
                .Where(static device => device is { IsListed: true, Link.Length: > 0 })
                .All(device => device.Link.AsSpan(1, Ed25519.PublicKeySize).SequenceEqual(key.PublicKey.Span));
    }

    private static bool IsWaiting(StoreTransaction transaction)
    {
        using var code = LoadCode(transaction);
        return code is not null;
    }

    private byte[] Sign(Ed25519PrivateKey key, DeviceId device, PublicDeviceIdentity identity) =>
        DeviceLink.Sign(key, Account.Client, device, identity.ToBytes());
}
