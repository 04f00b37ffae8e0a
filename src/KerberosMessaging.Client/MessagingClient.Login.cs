using KerberosMessaging.Client.Accounts;
using KerberosMessaging.Client.Connections;
using KerberosMessaging.Client.Store;
using KerberosMessaging.Cryptography;
using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;
using KerberosMessaging.Transport;

namespace KerberosMessaging.Client;

public sealed partial class MessagingClient
{
    /// <summary>Gives the store that a login goes into, once the password is proven and before the device's keys are needed.</summary>
    private delegate Task<LocalStore> StoreOpener(
        RequestConnection connection, OpaqueLoginResult result, CancellationToken cancellationToken);

    /// <summary>
    /// Logs in: proves the password, opens or makes the local store, enrols this device where it is new, and publishes its
    /// prekeys as soon as its message server can be reached. A store that is sealed under an earlier password is opened with
    /// the key that the realm keeps for it, and sealed under the present one.
    /// </summary>
    /// <param name="realm">The pinned realm.</param>
    /// <param name="name">The client's name.</param>
    /// <param name="password">The password, from <see cref="Password"/>.</param>
    /// <param name="options">The options.</param>
    /// <param name="storeOuterKey">What the store is sealed under, for services that use a key file; null to seal it under the password.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="MessagingException">It was refused, or the realm or the store cannot be used.</exception>
    public static async Task<MessagingClient> LoginAsync(
        RealmPin realm,
        string name,
        SecretBytes password,
        MessagingOptions options,
        SecretBytes? storeOuterKey = null,
        CancellationToken cancellationToken = default) =>
        await LoginIntoAsync(
            realm,
            name,
            password,
            options,
            async (connection, result, token) => storeOuterKey is null
                ? await OpenStoreAsync(connection, result, options, token).ConfigureAwait(false)
                : LocalStore.OpenOrCreate(options.StorePath, storeOuterKey),
            cancellationToken).ConfigureAwait(false);

    /// <summary>Goes on with an earlier login, with the key from <see cref="CopyStoreKey"/>.</summary>
    /// <param name="realm">The pinned realm.</param>
    /// <param name="storeKey">The store key; it stays the caller's.</param>
    /// <param name="options">The options.</param>
    /// <exception cref="MessagingException">The store cannot be used, or there is no login in it.</exception>
    public static MessagingClient Open(RealmPin realm, SecretBytes storeKey, MessagingOptions options) =>
        Open(realm, LocalStore.Open(options.StorePath, storeKey), options);

    /// <summary>Goes on with an earlier login of a service, with the key file's content.</summary>
    /// <param name="realm">The pinned realm.</param>
    /// <param name="storeOuterKey">What the store is sealed under; it stays the caller's.</param>
    /// <param name="options">The options.</param>
    /// <exception cref="MessagingException">The store cannot be used, or there is no login in it.</exception>
    public static MessagingClient OpenWithKeyFile(RealmPin realm, SecretBytes storeOuterKey, MessagingOptions options) =>
        Open(realm, LocalStore.OpenOrCreate(options.StorePath, storeOuterKey), options);

    private static async Task<MessagingClient> LoginIntoAsync(
        RealmPin realm,
        string name,
        SecretBytes password,
        MessagingOptions options,
        StoreOpener openStore,
        CancellationToken cancellationToken)
    {
        var (client, wantsNewRecord) = await Retry.OnceAsync(
            options,
            token => OnChannelAsync(
                realm, connection => LoginOnAsync(connection, realm, name, password, options, openStore, token), token),
            cancellationToken).ConfigureAwait(false);
        try
        {
            await Retry.OnceAsync(options, client.FindHomeAsync, cancellationToken).ConfigureAwait(false);
        }
        catch (MessagingException e) when (Failures.IsWorthRetrying(e) || e.Failure == MessagingFailure.RecipientNotReady)
        {
            // The login stands; the prekeys are published when the message server is first reached.
        }
        catch
        {
            await client.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        if (wantsNewRecord)
        {
            await client.RenewRecordAsync(password, cancellationToken).ConfigureAwait(false);
        }

        return client;
    }

    private static MessagingClient Open(RealmPin realm, LocalStore store, MessagingOptions options)
    {
        try
        {
            var account = store.Read(Account.Load);
            if (account is null || !new TicketCache(store).HasGranting)
            {
                throw new MessagingException(MessagingFailure.NotLoggedIn, "there is no login; log in first");
            }

            RefuseOtherRealm(realm, account, options);
            return new MessagingClient(realm, store, account, options);
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    private static async Task<(MessagingClient Client, bool WantsNewRecord)> LoginOnAsync(
        RequestConnection connection,
        RealmPin realm,
        string name,
        SecretBytes password,
        MessagingOptions options,
        StoreOpener openStore,
        CancellationToken cancellationToken)
    {
        using var login = OpaqueClientLogin.Start(password.Span);
        var challenge = await connection.RequestAsync<LoginChallenge>(
            new StartLoginRequest(ClientNames.Check(name), login.Ke1.ToArray()), cancellationToken).ConfigureAwait(false);
        var context = LoginProof.OpaqueContext(connection.Channel.ChannelBinding.Span);
        if (!login.TryFinish(challenge.Ke2, AcceptedStretching.Of(challenge.Stretching), [], [], context, out var result))
        {
            throw new MessagingException(MessagingFailure.LoginFailed, "the name or the password is wrong");
        }

        using (result)
        {
            var store = await openStore(connection, result, cancellationToken).ConfigureAwait(false);
            try
            {
                // Before the realm hears of a device: it would certify this store's for another client.
                if (store.Read(Account.Load) is { } before)
                {
                    RefuseOtherRealm(realm, before, options);
                    if (!ClientNames.AreSame(before.Name, name))
                    {
                        throw OtherClient(options);
                    }
                }

                var (account, wantsNewRecord) = await FinishLoginAsync(
                    connection, store, result, options, cancellationToken).ConfigureAwait(false);
                return (new MessagingClient(realm, store, account, options), wantsNewRecord);
            }
            catch
            {
                store.Dispose();
                throw;
            }
        }
    }

    /// <summary>
    /// The store under the key that this login gave; where it is sealed under an earlier one, because the password was changed
    /// elsewhere or a crash came in between, under that, and from now on under this.
    /// </summary>
    private static async Task<LocalStore> OpenStoreAsync(
        RequestConnection connection, OpaqueLoginResult result, MessagingOptions options, CancellationToken cancellationToken)
    {
        if (LocalStore.TryOpenOrCreate(options.StorePath, result.ExportKey) is { } present)
        {
            return present;
        }

        // Before the login is finished: the device keys that sign its last step are in the store.
        var reply = await connection.RequestAsync<PreviousKeysReply>(
            new FetchPreviousKeysRequest(result.Ke3), cancellationToken).ConfigureAwait(false);
        using var previous = PreviousKeys.TryOpen(reply.PreviousKeys, result.ExportKey);
        foreach (var key in previous?.Keys ?? [])
        {
            if (LocalStore.TryOpenOrCreate(options.StorePath, key) is { } former)
            {
                former.TrySealUnder(result.ExportKey, [key]);
                return former;
            }
        }

        throw Failures.SealedStore(options.StorePath);
    }

    private static async Task<(Account Account, bool WantsNewRecord)> FinishLoginAsync(
        RequestConnection connection,
        LocalStore store,
        OpaqueLoginResult result,
        MessagingOptions options,
        CancellationToken cancellationToken)
    {
        var (request, identity) = store.Write(transaction => MakeRequest(transaction, connection.Channel, result.Ke3, options));
        var granted = await connection.RequestAsync<TicketGranted>(request, cancellationToken).ConfigureAwait(false);
        var realmKey = connection.Channel.ServerSigningKey.ToArray();
        using var part = AsReplyPart.TryOpen(granted.SealedPart, result.SessionKey, granted.Ticket);
        if (part is null
            || DeviceCertificate.TryRead(part.Certificate, realmKey) is not { } certificate
            || certificate.Client != part.Client
            || certificate.Device != request.Device
            || !new PublicDeviceIdentity(certificate.SigningKey, certificate.AgreementKey).Equals(identity))
        {
            throw new ProtocolException(ProtocolError.Malformed, "The granted ticket or certificate does not verify.");
        }

        var account = new Account(part.Client, part.ClientName, request.Device, part.Certificate, realmKey, part.Session);
        using var ticket = new CachedTicket(granted.Ticket, part.SessionKey.Clone(), part.Times);
        store.Write(transaction =>
        {
            if (Account.Load(transaction) is { } before && before.Client != account.Client)
            {
                throw OtherClient(options);
            }

            account.Save(transaction);

            // Tickets of an earlier login hang on its session; they would only be refused later.
            transaction.RemoveSettings(TicketCache.Prefix);
        });
        new TicketCache(store).PutGranting(ticket);
        return (account, part.WantsNewRecord);
    }

    private static (FinishLoginRequest Request, PublicDeviceIdentity Identity) MakeRequest(
        StoreTransaction transaction,
        SecureChannel channel,
        byte[] ke3,
        MessagingOptions options)
    {
        DeviceKeys.Ensure(transaction, options.Time.GetUtcNow());
        var device = DeviceKeys.Device(transaction);
        using var identity = DeviceKeys.Identity(transaction);
        var identityKeys = identity.Public.ToBytes();
        var signature = identity.Sign(LoginProof.DeviceSignedBytes(channel.ChannelBinding.Span, ke3, device, identityKeys));
        return (new FinishLoginRequest(ke3, device, ClientNames.Check(options.DeviceName), identityKeys, signature), identity.Public);
    }

    private static async Task<T> OnChannelAsync<T>(
        RealmPin realm,
        Func<RequestConnection, Task<T>> action,
        CancellationToken cancellationToken)
    {
        await using var connection = await AuthSession.ConnectAsync(realm, new ChannelOptions(), cancellationToken).ConfigureAwait(false);
        return await Failures.TranslateAsync(
            $"the auth server at {realm.Host}:{realm.Port}", () => action(connection)).ConfigureAwait(false);
    }

    private static MessagingException OtherClient(MessagingOptions options) => new(
        MessagingFailure.StoreUnusable, $"the local store '{options.StorePath}' belongs to another client");

    private static void RefuseOtherRealm(RealmPin realm, Account account, MessagingOptions options)
    {
        if (!realm.IsExpectedKey(account.RealmKey))
        {
            throw new MessagingException(MessagingFailure.StoreUnusable, $"the local store '{options.StorePath}' belongs to another realm");
        }
    }
}
