using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Persistence.Sqlite;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.MessageServer.Tests.Stores;

public sealed class CommitQueueTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly FakeTimeProvider _time = new();
    private readonly LogLines _log = new();
    private readonly TestDevice _alice = TestDevice.Of("alice");
    private readonly TestDevice _bob = TestDevice.Of("bob");
    private SqliteMailboxStore _store = null!;
    private CommitQueue _queue = null!;
    private long _mailbox;
    private int _last;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string File => _folder.File("message.db");

    public async ValueTask InitializeAsync()
    {
        _store = await SqliteFile.OpenAsync(File);
        _queue = new CommitQueue(_store, _time, new Logger<CommitQueue>(new LoggerFactory([_log])));
        await _queue.StartAsync(Cancellation);
        _mailbox = (await _queue.CommitAsync(new OpenMailboxWrite(_bob.Address, "bob"))).Result!.Id;
    }

    public async ValueTask DisposeAsync()
    {
        await _queue.StopAsync(CancellationToken.None);
        _store.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Writes_that_wait_together_share_one_transaction_and_keep_their_order()
    {
        Task<bool>[] waiting;
        long batches;
        using (var other = new SqliteDatabase(File).Open())
        {
            // While another program holds the lock, all of them wait.
            SqliteFile.Execute(other, "BEGIN IMMEDIATE");
            batches = _queue.Batches;
            waiting = [.. Enumerable.Range(0, 500).Select(i => AppendAsync([(byte)(i >> 8), (byte)i]))];
            Assert.All(waiting, static task => Assert.False(task.IsCompleted));
            SqliteFile.Execute(other, "COMMIT");
        }

        Assert.All(await Task.WhenAll(waiting), Assert.True);
        Assert.InRange(_queue.Batches - batches, 1, 2);
        Assert.Equal(Enumerable.Range(0, 500), (await ReadAsync()).Select(static envelope => (envelope.Body[0] << 8) | envelope.Body[1]));
    }

    [Fact]
    public async Task Parallel_writers_lose_nothing()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(
            async () =>
            {
                for (var i = 0; i < 50; i++)
                {
                    Assert.True(await AppendAsync([1]));
                }
            },
            Cancellation)));
        Assert.Equal(Enumerable.Range(1, 400).Select(static i => (long)i), (await ReadAsync()).Select(static envelope => envelope.Sequence));
    }

    [Fact]
    public async Task A_failed_batch_fails_its_members_and_the_writer_goes_on()
    {
        SqliteFile.SetFailing(File, true);
        Assert.False(await AppendAsync([1]));
        Assert.Single(_log.Lines, static line => line.Text.Contains("could not be committed", StringComparison.Ordinal));
        SqliteFile.SetFailing(File, false);
        Assert.True(await AppendAsync([2]));
        Assert.Equal([2], Assert.Single(await ReadAsync()).Body);
    }

    [Fact]
    public async Task A_write_that_is_not_needed_any_more_is_left_out_and_not_told()
    {
        var (unneeded, needed) = (new Unneeded(), new OpenMailboxWrite(_alice.Address, "alice"));
        _queue.Enqueue(unneeded);
        Assert.True((await _queue.CommitAsync(needed)).IsDone);
        Assert.True(unneeded.IsAsked);
        Assert.False(unneeded.IsCompleted);
    }

    [Fact]
    public async Task A_batch_of_nothing_is_no_transaction()
    {
        var batches = _queue.Batches;
        var unneeded = new Unneeded();
        _queue.Enqueue(unneeded);
        await Until.TrueAsync(() => unneeded.IsAsked, Cancellation);
        Assert.True((await _queue.CommitAsync(new OpenMailboxWrite(_alice.Address, "alice"))).IsDone);
        Assert.InRange(_queue.Batches - batches, 1, 1);
    }

    [Fact]
    public async Task Stopping_writes_what_waits_and_takes_no_more()
    {
        var waiting = Enumerable.Range(0, 100).Select(i => AppendAsync([(byte)i])).ToArray();
        await _queue.StopAsync(Cancellation);
        Assert.All(await Task.WhenAll(waiting), Assert.True);
        Assert.False(await AppendAsync([1]));
    }

    private async Task<IReadOnlyList<StoredEnvelope>> ReadAsync() =>
        await _store.ReadAsync(_mailbox, 0, _time.GetUtcNow(), 1000, long.MaxValue);

    private Task<bool> AppendAsync(byte[] body)
    {
        var envelope = new StoredEnvelope(
            Interlocked.Increment(ref _last), MessageId.New(), _alice.Address, _alice.Name, _time.GetUtcNow(), body);
        var write = new TestAppend(_mailbox, envelope, _time.GetUtcNow().AddDays(30));
        _queue.Enqueue(write);
        return write.Completion.WaitAsync(Cancellation);
    }

    private sealed class Unneeded : StoreWrite
    {
        private volatile bool _isAsked;

        public bool IsAsked => _isAsked;

        public bool IsCompleted { get; private set; }

        public override bool Prepare(CommitBatch batch)
        {
            _isAsked = true;
            return false;
        }

        public override void Complete(bool isCommitted) => IsCompleted = true;
    }
}
