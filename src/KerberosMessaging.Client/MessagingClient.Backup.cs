using KerberosMessaging.Client.Backups;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.Client;

public sealed partial class MessagingClient
{
    /// <summary>
    /// Writes an encrypted backup of this device: its id and keys, contacts, devices and messages. A device that is restored from
    /// it is this one to everybody else, so that only one of the two may go on. What is not in it makes itself anew: sessions with
    /// others, prekeys and tickets. What is in the outbox is not in it.
    /// </summary>
    /// <param name="path">A file that does not exist yet.</param>
    /// <param name="passphrase">The passphrase, from <see cref="Password"/>. Whoever has it and the file has all of this.</param>
    /// <param name="cancellationToken">Ends it; no file is left.</param>
    /// <exception cref="MessagingException">
    /// The file exists or cannot be written (<see cref="MessagingFailure.BackupUnusable"/>), or the store cannot be read.
    /// </exception>
    public Task CreateBackupAsync(string path, SecretBytes passphrase, CancellationToken cancellationToken = default)
    {
        var owner = new BackupOwner(_account.Client, _account.Name, _account.RealmKey);
        return Task.Run(() => BackupFile.Create(path, _store, owner, passphrase, cancellationToken), cancellationToken);
    }

    /// <summary>Logs in like <see cref="LoginAsync"/>, with a new local store that is filled from a backup.</summary>
    /// <param name="realm">The pinned realm.</param>
    /// <param name="name">The client's name.</param>
    /// <param name="password">The password, from <see cref="Password"/>.</param>
    /// <param name="backupPath">The backup.</param>
    /// <param name="passphrase">The backup's passphrase, from <see cref="Password"/>.</param>
    /// <param name="options">The options; the store in them must not exist yet.</param>
    /// <param name="storeOuterKey">What the store is sealed under, for services that use a key file; null to seal it under the password.</param>
    /// <param name="cancellationToken">Ends it; no store is left.</param>
    /// <exception cref="MessagingException">
    /// The backup is damaged, is another client's or realm's, or opens with another passphrase
    /// (<see cref="MessagingFailure.BackupUnusable"/>), there is a store already (<see cref="MessagingFailure.StoreUnusable"/>), or the login
    /// was refused. No store is left, and one that was there is untouched.
    /// </exception>
    public static async Task<MessagingClient> RestoreAsync(
        RealmPin realm,
        string name,
        SecretBytes password,
        string backupPath,
        SecretBytes passphrase,
        MessagingOptions options,
        SecretBytes? storeOuterKey = null,
        CancellationToken cancellationToken = default)
    {
        ClientNames.Check(name);
        using var store = await Task.Run(
            () => RestoredStore.Make(options.StorePath, backupPath, passphrase, realm, name, cancellationToken), cancellationToken).ConfigureAwait(false);
        var client = await LoginIntoAsync(
            realm,
            name,
            password,
            options,
            (_, result, _) => Task.FromResult(store.Open(storeOuterKey ?? result.ExportKey)),
            cancellationToken).ConfigureAwait(false);
        store.Keep();
        return client;
    }
}
