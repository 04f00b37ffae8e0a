using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Persistence;
using KerberosMessaging.MessageServer.Persistence.Sqlite;
using KerberosMessaging.MessageServer.Tests.Support;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.MessageServer.Tests.Stores;

public sealed class SqliteMailboxStoreTests : MailboxStoreContract, IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly List<SqliteMailboxStore> _open = [];

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

    [Theory]
    [InlineData(1, 0)]
    [InlineData(1, 1)]
    [InlineData(3, (1L << 40) - 1)]
    [InlineData(EnvelopeKey.LargestMailbox, (1L << 40) - 1)]
    public void A_key_holds_the_mailbox_and_the_number(long mailbox, long number)
    {
        var key = EnvelopeKey.Of(mailbox, number);
        Assert.Equal((mailbox, number), (EnvelopeKey.MailboxOf(key), EnvelopeKey.NumberOf(key)));
        Assert.InRange(key, EnvelopeKey.FirstOf(mailbox), EnvelopeKey.LastOf(mailbox));
        Assert.True(EnvelopeKey.LastOf(mailbox - 1) < EnvelopeKey.FirstOf(mailbox));
        Assert.Equal(EnvelopeKey.LastOf(mailbox), EnvelopeKey.Of(mailbox, long.MaxValue));
    }

    public void Dispose() => _folder.Dispose();

    private protected override async Task<IMailboxStore> OpenAsync()
    {
        _open.Add(await SqliteFile.OpenAsync(_folder.File("message.db")));
        return _open[^1];
    }

    private protected override ValueTask CloseAsync()
    {
        _open.ForEach(static store => store.Dispose());
        _open.Clear();
        return ValueTask.CompletedTask;
    }

    private protected override void SetFailing(bool fails) => SqliteFile.SetFailing(_folder.File("message.db"), fails);

    private static object? Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }
}
