using System.Security.Cryptography;
using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.Client.Store;

/// <summary>
/// Brings a store of version 1 to the present tables, in one transaction. Names and senders were in clear there. Sessions and
/// prekeys are dropped, because the ratchet's format is another one; what waited in the outbox is encrypted anew. A verified
/// contact is unverified again: what was compared covered devices, and not the account key.
/// </summary>
internal static class StoreMigration
{
    /// <summary>The version that can be brought up.</summary>
    public const int FormerVersion = 1;

    // Written down by the code that publishes prekeys.
    private const string PublishedSetting = "prekeys published at";

    private const string SetAside = """
        ALTER TABLE contacts RENAME TO former_contacts;
        ALTER TABLE devices RENAME TO former_devices;
        ALTER TABLE outbox RENAME TO former_outbox;
        """;

    private const string Drop = """
        DROP TABLE former_contacts;
        DROP TABLE former_devices;
        DROP TABLE former_outbox;
        DROP TABLE inbox;
        """;

    /// <summary>Does it, where it was not done before.</summary>
    /// <exception cref="CryptographicException">The key is not the store's, or a value is damaged: nothing was changed.</exception>
    public static void Run(SqliteConnection connection, StoreCipher cipher, DateTimeOffset now)
    {
        using (var transaction = connection.BeginTransaction(deferred: false))
        {
            if (!IsFormer(connection, transaction))
            {
                return;
            }

            var store = new StoreTransaction(connection, transaction, cipher);
            KeepSettings(store);
            store.Execute(SetAside);
            store.Execute(StoreSchema.Tables);
            MoveContacts(store);
            MoveDevices(store, cipher, now);
            MoveInbox(store, cipher);
            MoveOutbox(store, cipher);
            store.Execute(Drop);
            RenewPrekeys(store);
            store.Execute($"PRAGMA user_version = {StoreSchema.Version}");
            transaction.Commit();
        }

        // The names were in clear: neither free pages nor the journal may keep them.
        using var clean = connection.CreateCommand();
        clean.CommandText = "VACUUM; PRAGMA wal_checkpoint(TRUNCATE);";
        clean.ExecuteNonQuery();
    }

    private static bool IsFormer(SqliteConnection connection, SqliteTransaction transaction)
    {
        using var version = LocalStore.Command(connection, transaction, "PRAGMA user_version");
        return version.ExecuteScalar() is (long)FormerVersion;
    }

    // Each is opened, so that a wrong key is seen before anything is sealed under it.
    private static void KeepSettings(StoreTransaction store)
    {
        foreach (var name in store.ListSettings("").Where(static name => name != LocalStore.WrappedKeyName))
        {
            store.GetSetting(name)?.Dispose();
        }

        store.RemoveSettings(DeviceKeys.PrekeysSetting);
        store.RemoveSettings(PublishedSetting);
    }

    // A login that goes on finds what otherwise only a new one would make.
    private static void RenewPrekeys(StoreTransaction store)
    {
        if (DeviceKeys.Exist(store))
        {
            // Made long ago, as far as their age goes: they are replaced as soon as there is a server to bring them to.
            DeviceKeys.Ensure(store, DateTimeOffset.UnixEpoch);
        }
    }

    private static void MoveContacts(StoreTransaction store)
    {
        foreach (var (client, name) in StoreTransaction.Rows(
            store.Command("SELECT client, name FROM former_contacts"),
            static reader => (new ClientId(StoreTransaction.Id(reader, 0)), StoreTransaction.Text(reader, 1))))
        {
            store.AddContact(client, name);
        }
    }

    // They were sent to without asking, so they are accepted.
    private static void MoveDevices(StoreTransaction store, StoreCipher cipher, DateTimeOffset now)
    {
        foreach (var (client, device, value) in StoreTransaction.Rows(
            store.Command("SELECT client, device, identity FROM former_devices"),
            static reader => (
                new ClientId(StoreTransaction.Id(reader, 0)),
                new DeviceId(StoreTransaction.Id(reader, 1)),
                StoreTransaction.Blob(reader, 2))))
        {
            using var opened = cipher.Open("devices.identity", StoreTransaction.Row(client, device), value);
            if (!PublicDeviceIdentity.TryRead(opened.Span, out var identity))
            {
                throw StoreTransaction.Damaged();
            }

            store.PutDevice(client, new StoredDevice(device, identity, [], IsAccepted: true, IsListed: true, now));
        }
    }

    private static void MoveInbox(StoreTransaction store, StoreCipher cipher)
    {
        foreach (var (message, readAt, value) in StoreTransaction.Rows(
            store.Command(
                "SELECT message, sender, device, sender_name, accepted_at, content, problem, read_at FROM inbox ORDER BY id"),
            static reader => (
                new NewMessage(
                    new MessageId(StoreTransaction.Id(reader, 0)),
                    new ClientId(StoreTransaction.Id(reader, 1)),
                    IsOutgoing: false,
                    new DeviceId(StoreTransaction.Id(reader, 2)),
                    StoreTransaction.Text(reader, 3),
                    StoreTransaction.Time(reader, 4),
                    Content: null,
                    (MessageProblem)StoreTransaction.Number(reader, 6)),
                StoreTransaction.OptionalTime(reader, 7),
                reader.IsDBNull(5) ? null : StoreTransaction.Blob(reader, 5))))
        {
            var content = Open("inbox.content", StoreTransaction.Row(message.Peer, message.Message), value);
            store.InsertMessage(message with { Content = content }, readAt);
            store.AddReceived(message.Peer, message.Message, message.AcceptedAt);
            CryptographicOperations.ZeroMemory(content);
        }

        byte[]? Open(string place, byte[] row, byte[]? sealedValue)
        {
            using var opened = sealedValue is null ? null : cipher.Open(place, row, sealedValue);
            return opened?.Span.ToArray();
        }
    }

    private static void MoveOutbox(StoreTransaction store, StoreCipher cipher)
    {
        foreach (var (message, recipient, value) in StoreTransaction.Rows(
            store.Command("SELECT message, recipient, content FROM former_outbox ORDER BY id"),
            static reader => (
                new MessageId(StoreTransaction.Id(reader, 0)), StoreTransaction.Text(reader, 1), StoreTransaction.Blob(reader, 2))))
        {
            using var opened = cipher.Open("outbox.content", StoreTransaction.Bytes(message.Value), value);
            var content = opened.Span.ToArray();
            store.PutInOutbox(new OutboxEntry(message, store.FindContact(recipient) ?? throw StoreTransaction.Damaged(), null, content, null));
            CryptographicOperations.ZeroMemory(content);
        }
    }
}
