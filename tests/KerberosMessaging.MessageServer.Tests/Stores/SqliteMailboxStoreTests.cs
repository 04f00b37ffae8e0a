using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Persistence.Sqlite;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.MessageServer.Tests.Stores;

public sealed class SqliteMailboxStoreTests : MailboxStoreContract, IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly List<SqliteMailboxStore> _open = [];

    [Fact]
    public async Task A_failed_batch_leaves_nothing_behind_and_the_next_one_finds_the_truth()
    {
        var (alice, bob, mailbox) = await TwoAsync();
        await AppendAsync(Submit(alice, bob));
        using (var other = new SqliteDatabase(_folder.File("message.db")).Open())
        {
            Execute(other, "ALTER TABLE Envelopes RENAME TO Hidden");
            await Assert.ThrowsAsync<SqliteException>(() => AppendAsync(Submit(alice, bob)));
            Execute(other, "ALTER TABLE Hidden RENAME TO Envelopes");
        }

        await AppendAsync(Submit(alice, bob));
        Assert.Equal([1L, 2L], (await ReadAsync(mailbox)).Select(static envelope => envelope.Sequence));
    }

    [Fact]
    public async Task A_one_time_prekey_is_there_again_when_the_batch_that_took_it_failed()
    {
        var (alice, bob, mailbox) = await TwoAsync();
        await WriteAsync(new UploadPrekeysWrite(mailbox, [1], 0, [TestPrekey.X25519(1), TestPrekey.X25519(2)]));
        using (var other = new SqliteDatabase(_folder.File("message.db")).Open())
        {
            Execute(other, "ALTER TABLE Envelopes RENAME TO Hidden");
            await Assert.ThrowsAsync<SqliteException>(() => WriteAsync(
                new TakePrekeysWrite(alice.Address, bob.Client, [bob.Device]),
                new UploadPrekeysWrite(mailbox, [2], 9, [TestPrekey.X25519(9)]),
                new AppendWrite(Submit(alice, bob), TimeSpan.FromDays(1))));
            Execute(other, "ALTER TABLE Hidden RENAME TO Envelopes");
        }

        Assert.Equal(new OneTimePrekeyStock(2, 2, 0), (await Store.ReadPrekeyStockAsync(mailbox)).X25519);
        var take = new TakePrekeysWrite(alice.Address, bob.Client, [bob.Device]);
        await WriteAsync(take);
        Assert.Equal([1], take.Result![0].Bundle);
        Assert.Equal(1u, Assert.Single(take.Result[0].OneTimePrekeys).Id);
    }

    [Fact]
    public async Task Commits_are_on_disk_when_they_return()
    {
        var database = new SqliteDatabase(_folder.File("message.db"));
        using var connection = database.Open();
        Assert.Equal("wal", Scalar(connection, "PRAGMA journal_mode"));
        Assert.Equal(2L, Scalar(connection, "PRAGMA synchronous"));
        await using var context = new TestContexts(_folder.File("message.db")).CreateDbContext();
        await context.Database.OpenConnectionAsync(TestContext.Current.CancellationToken);
        Assert.Equal(2L, Scalar((SqliteConnection)context.Database.GetDbConnection(), "PRAGMA synchronous"));
    }

    [Fact]
    public void The_migrations_match_the_model()
    {
        using var context = new TestContexts(_folder.File("message.db")).CreateDbContext();
        Assert.False(context.Database.HasPendingModelChanges());
    }

    public void Dispose() => _folder.Dispose();

    private protected override async Task<IMailboxStore> OpenAsync()
    {
        var path = _folder.File("message.db");
        if (!File.Exists(path))
        {
            await using var context = new TestContexts(path).CreateDbContext();
            await context.Database.MigrateAsync();
        }

        _open.Add(new SqliteMailboxStore(new SqliteDatabase(path), Options.Create(Limits)));
        return _open[^1];
    }

    private protected override ValueTask CloseAsync()
    {
        _open.ForEach(static store => store.Dispose());
        _open.Clear();
        return ValueTask.CompletedTask;
    }

    private async Task WriteAsync(params StoreWrite[] writes) => await Store.WriteAsync(writes, DateTimeOffset.UnixEpoch);

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static object? Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }
}
