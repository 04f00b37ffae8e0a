namespace KerberosMessaging.Client.Store;

/// <summary>
/// The tables of the local store. In clear are random ids, times, flags and sizes alone; all else is sealed, and a name is found
/// by its tag (<see cref="StoreCipher.Tag"/>).
/// </summary>
internal static class StoreSchema
{
    /// <summary>What <c>PRAGMA user_version</c> says of a store with these tables.</summary>
    public const int Version = 2;

    /// <summary>The table that every version has alike: it holds the sealed store key.</summary>
    public const string Settings =
        "CREATE TABLE settings (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;";

    /// <summary>All other tables.</summary>
    public const string Tables = """
        CREATE TABLE contacts (
            client BLOB PRIMARY KEY, tag BLOB NOT NULL UNIQUE, name BLOB NOT NULL, key BLOB NOT NULL, home_server BLOB, looked_up_at INTEGER)
            WITHOUT ROWID;
        CREATE TABLE devices (
            client BLOB NOT NULL, device BLOB NOT NULL, identity BLOB NOT NULL, is_listed INTEGER NOT NULL,
            first_seen_at INTEGER NOT NULL, sessions BLOB, PRIMARY KEY (client, device)) WITHOUT ROWID;
        CREATE TABLE received (
            sender BLOB NOT NULL, message BLOB NOT NULL, received_at INTEGER NOT NULL, PRIMARY KEY (sender, message)) WITHOUT ROWID;
        CREATE TABLE messages (
            id INTEGER PRIMARY KEY AUTOINCREMENT, message BLOB NOT NULL, peer BLOB NOT NULL, is_outgoing INTEGER NOT NULL,
            device BLOB NOT NULL, accepted_at INTEGER NOT NULL, content BLOB NOT NULL, problem INTEGER NOT NULL, read_at INTEGER,
            UNIQUE (peer, is_outgoing, message));
        CREATE INDEX messages_of_peer ON messages (peer, id);
        CREATE INDEX messages_unread ON messages (id) WHERE read_at IS NULL;
        CREATE TABLE outbox (
            id INTEGER PRIMARY KEY AUTOINCREMENT, message BLOB NOT NULL UNIQUE, recipient BLOB NOT NULL, only_device BLOB,
            content BLOB NOT NULL, request BLOB);
        CREATE TABLE sent (
            message BLOB PRIMARY KEY, recipient BLOB NOT NULL, content BLOB NOT NULL, sent_at INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE unreadable (
            id INTEGER PRIMARY KEY AUTOINCREMENT, sender BLOB NOT NULL, message BLOB NOT NULL, device BLOB NOT NULL,
            since INTEGER NOT NULL, asked INTEGER NOT NULL DEFAULT 0, UNIQUE (sender, message));
        CREATE TABLE resends (
            id INTEGER PRIMARY KEY AUTOINCREMENT, client BLOB NOT NULL, device BLOB NOT NULL, message BLOB NOT NULL,
            UNIQUE (client, device, message));
        CREATE TABLE healing (
            client BLOB NOT NULL, device BLOB NOT NULL, asked_at INTEGER, served_at INTEGER, is_answer_due INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (client, device)) WITHOUT ROWID;
        """;
}
