using KerberosMessaging.EndToEndTests.Support;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.EndToEndTests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>
/// Today's servers go on with the data folders that the first version left: two accounts with a device and a session each, an enrolled message
/// server, and a message that waits. <c>Fixtures/first-light</c> was made by that version itself.
/// </summary>
public sealed class UpgradeTests : IDisposable
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 120_000;

    // A few minutes after the data was made: the message would expire.
    private static readonly DateTimeOffset Then = new(2026, 11, 23, 23, 50, 0, TimeSpan.Zero);

    private readonly RealmAdmin _admin = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _admin.Dispose();

    [Fact(Timeout = Patience)]
    public async Task Accounts_of_the_first_version_log_in_with_their_passwords_and_converse()
    {
        await using var realm = await Realm.StartAsync(Cancel, FirstLight());

        await using var alice = await Person.LoginAsync(realm, "alice", "phone", Cancel);
        await using var bob = await Person.LoginAsync(realm, "bob", "phone", Cancel);
        await alice.Client.SendTextAsync(bob.Name, "hello from today", Cancel);

        Assert.Equal(["hello from today"], await bob.ReadAllAsync(Cancel));
        var clients = (await _admin.ReadAuthServerAsync(realm, "clients", Cancel)).GetProperty("items");
        Assert.Equal(["alice", "bob"], clients.EnumerateArray().Select(static client => client.GetProperty("name").GetString()!).Order());

        // The session of the first version, and that of just now.
        var id = clients.EnumerateArray().First(static client => client.GetProperty("name").GetString() == "bob").GetProperty("id").GetString();
        var sessions = (await _admin.ReadAuthServerAsync(realm, $"sessions?client={id}&living=true", Cancel)).GetProperty("items");
        Assert.Equal(2, sessions.GetArrayLength());
    }

    [Fact(Timeout = Patience)]
    public async Task Mail_of_the_first_version_still_waits()
    {
        await using var realm = await Realm.StartAsync(Cancel, FirstLight());

        var queues = (await _admin.ReadMessageServerAsync(realm, "queues", Cancel)).GetProperty("items");

        var waiting = queues.EnumerateArray().Single(static queue => queue.GetProperty("waiting").GetInt32() > 0);
        Assert.Equal("bob", waiting.GetProperty("clientName").GetString());
        Assert.Equal(1, waiting.GetProperty("waiting").GetInt32());
        Assert.Equal(BodyOf(Fixture("message/message.db")), BodyOf(realm.Folder.File("message/message.db")));
    }

    [Theory(Timeout = Patience)]
    [InlineData("auth/auth.db")]
    [InlineData("message/message.db")]
    public async Task A_database_of_the_first_version_becomes_like_a_new_one(string database)
    {
        await using var upgraded = await Realm.StartAsync(Cancel, FirstLight());
        await using var made = await Realm.StartAsync(Cancel);

        Assert.NotEqual(SchemaOf(made.Folder.File(database)), SchemaOf(Fixture(database)));
        Assert.Equal(SchemaOf(made.Folder.File(database)), SchemaOf(upgraded.Folder.File(database)));
    }

    private RealmSetup FirstLight()
    {
        var setup = RealmSetup.At(new FakeTimeProvider(Then), _admin.Argument);
        return setup with { Data = Fixture(""), Message = [.. setup.Message, _admin.Argument] };
    }

    private static string Fixture(string file) => Path.Combine(AppContext.BaseDirectory, "Fixtures", "first-light", file);

    private static byte[] BodyOf(string database) => Query(database, "SELECT Body FROM Envelopes", static row => (byte[])row[0]).Single();

    // In the order of their names: what was added later stands at the end of its table.
    private static List<string> SchemaOf(string database) =>
    [
        .. Query(
            database,
            """
            SELECT t.name || '.' || c.name || ' ' || c.type || ' ' || c."notnull" || ' ' || c.pk
                FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE '\_\_EF%' ESCAPE '\'
            UNION ALL
            SELECT t.name || ' -> ' || f."table" || ' ' || f."from" || ' ' || f.on_delete
                FROM sqlite_master t, pragma_foreign_key_list(t.name) f WHERE t.type = 'table'
            UNION ALL
            SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL
            UNION ALL
            SELECT MigrationId FROM __EFMigrationsHistory
            ORDER BY 1
            """,
            static row => row.GetString(0)),
    ];

    private static List<T> Query<T>(string database, string sql, Func<SqliteDataReader, T> read)
    {
        using var connection = new SqliteConnection($"Data Source={database};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var rows = command.ExecuteReader();
        var values = new List<T>();
        while (rows.Read())
        {
            values.Add(read(rows));
        }

        return values;
    }
}
