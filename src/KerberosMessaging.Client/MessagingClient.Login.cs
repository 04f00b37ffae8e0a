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
    /// <summary>Registers a client. The password never leaves this process in any form that it could be tried on.</summary>
    /// <param name="realm">The pinned realm.</param>
    /// <param name="name">The wished name.</param>
    /// <param name="password">The password, from <see cref="Password"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="MessagingException">It was refused, or the realm cannot be reached or trusted.</exception>
    public static Task<ClientId> RegisterAsync(
        RealmPin realm,
        string name,
        SecretBytes password,
        CancellationToken cancellationToken = default) => OnChannelAsync(realm, async connection =>
        {
            using var registration = OpaqueClientRegistration.Start(password.Span);
            var reply = await connection.RequestAsync(
                new RegisterClientRequest(ClientNames.Check(name), Token: "", registration.Request.ToArray()), cancellationToken).ConfigureAwait(false);
            var challenge = reply.As<RegistrationChallenge>() ?? throw Refusal(reply);
            var stretching = Accept(challenge.Stretching);
            if (!registration.TryFinish(challenge.RegistrationResponse, stretching, [], [], out var result))
            {
                throw new ProtocolException(ProtocolError.Malformed, "The registration response is not well-formed.");
            }

            using (result)
            {
                reply = await connection.RequestAsync(
                    new FinishRegistrationRequest(name, result.Record, challenge.Stretching), cancellationToken).ConfigureAwait(false);
            }

            return (reply.As<ClientRegistered>() ?? throw Refusal(reply)).Client;
        }, cancellationToken);

    /// <summary>
    /// Logs in: proves the password, opens or makes the local store, enrols this device where it is new, and publishes its
    /// prekeys as soon as its message server can be reached.
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
        CancellationToken cancellationToken = default)
    {
        var client = await Retry.OnceAsync(
            options,
            token => OnChannelAsync(
                realm, connection => LoginOnAsync(connection, realm, name, password, options, storeOuterKey, token), token),
            cancellationToken).ConfigureAwait(false);
        try
        {
            await Retry.OnceAsync(options, client.FindHomeAsync, cancellationToken).ConfigureAwait(false);
        }
        catch (MessagingException e) when (e.Failure is MessagingFailure.Unreachable or MessagingFailure.RecipientNotReady)
        {
            // The login stands; the prekeys are published when the message server is first reached.
        }
        catch
        {
            await client.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        return client;
    }

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

    private static async Task<MessagingClient> LoginOnAsync(
        RequestConnection connection,
        RealmPin realm,
        string name,
        SecretBytes password,
        MessagingOptions options,
        SecretBytes? storeOuterKey,
        CancellationToken cancellationToken)
    {
        using var login = OpaqueClientLogin.Start(password.Span);
        var challenge = await connection.RequestAsync<LoginChallenge>(
            new StartLoginRequest(ClientNames.Check(name), login.Ke1.ToArray()), cancellationToken).ConfigureAwait(false);
        var context = LoginProof.OpaqueContext(connection.Channel.ChannelBinding.Span);
        if (!login.TryFinish(challenge.Ke2, Accept(challenge.Stretching), [], [], context, out var result))
        {
            throw new MessagingException(MessagingFailure.LoginFailed, "the name or the password is wrong");
        }

        using (result)
        {
            var store = LocalStore.OpenOrCreate(options.StorePath, storeOuterKey ?? result.ExportKey);
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

                var account = await FinishLoginAsync(connection, store, result, options, cancellationToken).ConfigureAwait(false);
                return new MessagingClient(realm, store, account, options);
            }
            catch
            {
                store.Dispose();
                throw;
            }
        }
    }

    private static async Task<Account> FinishLoginAsync(
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
        return account;
    }

    private static (FinishLoginRequest Request, PublicDeviceIdentity Identity) MakeRequest(
        StoreTransaction transaction,
        SecureChannel channel,
        byte[] ke3,
        MessagingOptions options)
    {
        DeviceKeys.Ensure(transaction);
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

    private static StretchingParameters Accept(Stretching stretching)
    {
        var parameters = new StretchingParameters((StretchingAlgorithm)stretching.Algorithm, stretching.Iterations, stretching.MemoryKiB);
        return parameters.IsAcceptable
            ? parameters
            : throw new MessagingException(
                MessagingFailure.StretchingRefused, "the realm asks for password stretching that is weaker or costlier than allowed");
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

    private static Exception Refusal(WireReply reply) => reply.As<RegistrationRefused>()?.Reason switch
    {
        RegistrationRefusal.NameTaken => new MessagingException(MessagingFailure.NameTaken, "the name is taken, or looks like one that is"),
        RegistrationRefusal.NameInvalid => new MessagingException(
            MessagingFailure.NameInvalid,
            "the name is not allowed: it starts with a letter or digit and goes on with letters and digits of one script, '.', '_' and '-'"),
        { } other => new MessagingException(MessagingFailure.RegistrationRefused, $"the realm refused the registration ({other})"),
        null => new ProtocolException(ProtocolError.Malformed, "The reply is of an unexpected kind."),
    };
}
