using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Persistence.Sqlite;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.MessageServer.Tests.Stores;

public sealed class CommitQueueTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly FakeTimeProvider _time = new();
    private readonly LogLines _log = new();
    private readonly TestDevice _alice = TestDevice.Of("alice");
    private readonly TestDevice _bob = TestDevice.Of("bob");
    private SqliteDatabase _database = null!;
    private SqliteMailboxStore _store = null!;
    private CommitQueue _queue = null!;
    private long _mailbox;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await using (var context = new TestContexts(_folder.File("message.db")).CreateDbContext())
        {
            await context.Database.MigrateAsync();
        }

        _database = new SqliteDatabase(_folder.File("message.db"));
        _store = new SqliteMailboxStore(_database, Options.Create(new MailboxOptions()));
        _queue = new CommitQueue(_store, _time, new Microsoft.Extensions.Logging.Logger<CommitQueue>(new Microsoft.Extensions.Logging.LoggerFactory([_log])));
        await _queue.StartAsync(Cancellation);
        _mailbox = (await _queue.CommitAsync(new OpenMailboxWrite(_bob.Address, "bob"))).Result!.Value;
    }

    public async ValueTask DisposeAsync()
    {
        await _queue.StopAsync(CancellationToken.None);
        _queue.Dispose();
        _store.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_mailbox_that_is_opened_again_is_written_once_a_minute()
    {
        var mailboxes = new OpenedMailboxes(_queue, _time);
        Assert.Equal(_mailbox, (await mailboxes.OpenAsync(_bob.Address, "bob", Cancellation)).Result);
        var batches = _queue.Batches;

        _time.Advance(TimeSpan.FromSeconds(59));
        mailboxes.Sweep();
        Assert.Equal(_mailbox, (await mailboxes.OpenAsync(_bob.Address, "bob", Cancellation)).Result);
        Assert.Equal(batches, _queue.Batches);

        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(_mailbox, (await mailboxes.OpenAsync(_bob.Address, "bob", Cancellation)).Result);
        Assert.Equal(batches + 1, _queue.Batches);
    }

    [Fact]
    public async Task Writes_that_wait_together_share_one_transaction_and_keep_their_order()
    {
        Task<Committed<SendResult>>[] waiting;
        long batches;
        using (var other = _database.Open())
        {
            // While another program holds the lock, all of them wait.
            Execute(other, "BEGIN IMMEDIATE");
            batches = _queue.Batches;
            waiting = [.. Enumerable.Range(0, 500).Select(i => AppendAsync([(byte)(i >> 8), (byte)i]))];
            Assert.All(waiting, static task => Assert.False(task.IsCompleted));
            Execute(other, "COMMIT");
        }

        var results = await Task.WhenAll(waiting);
        Assert.All(results, static result => Assert.Equal(SendStatus.Accepted, result.Result.Status));
        Assert.InRange(_queue.Batches - batches, 1, 2);
        var stored = await _store.ReadAsync(_mailbox, 0, _time.GetUtcNow(), 1000, long.MaxValue);
        Assert.Equal(Enumerable.Range(0, 500), stored.Select(static envelope => (envelope.Body[0] << 8) | envelope.Body[1]));
        Assert.Equal(Enumerable.Range(1, 500).Select(static i => (long)i), stored.Select(static envelope => envelope.Sequence));
    }

    [Fact]
    public async Task Parallel_senders_lose_nothing_and_each_keeps_its_order()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(sender => Task.Run(
            async () =>
            {
                for (var i = 0; i < 50; i++)
                {
                    Assert.True((await AppendAsync([(byte)sender, (byte)i])).IsDone);
                }
            },
            Cancellation)));
        var stored = await _store.ReadAsync(_mailbox, 0, _time.GetUtcNow(), 1000, long.MaxValue);
        Assert.Equal(Enumerable.Range(1, 400).Select(static i => (long)i), stored.Select(static envelope => envelope.Sequence));
        foreach (var sender in stored.GroupBy(static envelope => envelope.Body[0]))
        {
            Assert.Equal(Enumerable.Range(0, 50), sender.Select(static envelope => (int)envelope.Body[1]));
        }
    }

    [Fact]
    public async Task A_failed_batch_fails_its_members_and_the_writer_goes_on()
    {
        using var other = _database.Open();
        Execute(other, "ALTER TABLE Envelopes RENAME TO Hidden");
        Assert.False((await AppendAsync([1])).IsDone);
        Assert.Single(_log.Lines, static line => line.Text.Contains("could not be committed", StringComparison.Ordinal));
        Execute(other, "ALTER TABLE Hidden RENAME TO Envelopes");
        Assert.True((await AppendAsync([2])).IsDone);
        Assert.Equal([2], Assert.Single(await _store.ReadAsync(_mailbox, 0, _time.GetUtcNow(), 10, 1000)).Body);
    }

    [Fact]
    public async Task More_bytes_than_may_wait_are_refused_at_once()
    {
        using var other = _database.Open();
        Execute(other, "BEGIN IMMEDIATE");
        var large = new byte[1_000_000];
        var waiting = Enumerable.Range(0, 80).Select(_ => AppendAsync(large)).ToArray();
        var refused = waiting.Where(static task => task.IsCompleted).ToArray();
        Assert.Equal(80 - 67, refused.Length);
        Assert.All(await Task.WhenAll(refused), static result => Assert.False(result.IsDone));
        Execute(other, "ROLLBACK");
        Assert.Equal(67, (await Task.WhenAll(waiting)).Count(static result => result.IsDone));

        // What was refused holds no place.
        await _queue.CommitAsync(new AcknowledgeWrite(_mailbox, [new MailboxRange(1, 100)]));
        Assert.True((await AppendAsync(large)).IsDone);
    }

    [Fact]
    public async Task Stopping_writes_what_waits_and_takes_no_more()
    {
        var waiting = Enumerable.Range(0, 100).Select(i => AppendAsync([(byte)i])).ToArray();
        await _queue.StopAsync(Cancellation);
        Assert.All(await Task.WhenAll(waiting), static result => Assert.True(result.IsDone));
        Assert.False((await AppendAsync([1])).IsDone);
    }

    [Fact]
    public async Task The_sweeper_removes_expired_messages_by_the_clock()
    {
        using var sweeper = new Sweeper(_queue, new OpenedMailboxes(_queue, _time), _time);
        await _queue.CommitAsync(new AppendWrite(Submit([1]), TimeSpan.FromSeconds(90)));
        await sweeper.StartAsync(Cancellation);
        await AdvanceUntilAsync(async () => (await _store.ReadQueuesAsync(null, 1))[0].Waiting == 0);
        Assert.True(_time.GetUtcNow() - _time.Start >= TimeSpan.FromSeconds(90));
        await sweeper.StopAsync(Cancellation);
    }

    private async Task AdvanceUntilAsync(Func<Task<bool>> condition)
    {
        while (!await condition())
        {
            Cancellation.ThrowIfCancellationRequested();
            _time.Advance(TimeSpan.FromSeconds(30));

            // The sweep goes through the queue: once this is committed, a sweep that was asked for is too.
            await Task.Yield();
            await _queue.CommitAsync(new AcknowledgeWrite(_mailbox, []));
        }
    }

    private Task<Committed<SendResult>> AppendAsync(byte[] body) =>
        _queue.CommitAsync(new AppendWrite(Submit(body), TimeSpan.FromDays(30)));

    private Submission Submit(byte[] body) =>
        new(_alice.Address, "alice", MessageId.New(), _bob.Client, 0, [new(_bob.Device, body)]);

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
