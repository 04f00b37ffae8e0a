using System.Threading.Channels;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Hosting.Telemetry;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.AuthServer.Persistence;

/// <summary>
/// Everything that changes the database passes through here, one piece of work after the other, and one transaction carries
/// all that waits: under load one flush to disk serves many logins. Each piece has a savepoint of its own, so it happens
/// wholly, with its audit rows, or not at all. One writer also means that a check and the change that follows from it cannot
/// be parted by another change.
/// </summary>
internal sealed partial class AuthWriter : IAsyncDisposable
{
    // Further ones wait in their connections.
    private const int Capacity = 1024;

    private const int ItemsPerBatch = 128;

    // SQLITE_CONSTRAINT, https://sqlite.org/rescode.html: of one piece of work; all other failures are the whole batch's.
    private const int Constraint = 19;

    private readonly Channel<WriteItem> _queue = Channel.CreateBounded<WriteItem>(new BoundedChannelOptions(Capacity) { SingleReader = true });
    private readonly WriteScope _scope;
    private readonly ILogger<AuthWriter> _logger;
    private readonly Task _loop;
    private readonly CommitMetrics _commits;

    public AuthWriter(
        AuthDatabase database, AuditChain chain, TimeProvider time, ILoggerFactory loggers, AuthMetrics metrics, CommitMetrics commits)
    {
        _commits = commits;
        _logger = loggers.CreateLogger<AuthWriter>();
        _scope = new WriteScope(database.Open(), chain, time, loggers, metrics);
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Carries out a piece of work and returns when it is on disk.</summary>
    /// <typeparam name="T">What the work gives.</typeparam>
    /// <param name="work">What to do; called once, on the writer's thread. What it throws undoes it and reaches the caller.</param>
    /// <param name="cancellationToken">Ends the wait for a place in the queue; what has its place is carried out.</param>
    /// <exception cref="OperationCanceledException">The server stops.</exception>
    /// <exception cref="SqliteException">The database cannot be written.</exception>
    public async Task<T> WriteAsync<T>(Func<WriteScope, T> work, CancellationToken cancellationToken)
    {
        var item = new WriteItem<T>(work);
        try
        {
            await _queue.Writer.WriteAsync(item, cancellationToken);
        }
        catch (ChannelClosedException e)
        {
            throw new OperationCanceledException("The server stops.", e, cancellationToken);
        }

        return await item.Task;
    }

    /// <inheritdoc cref="WriteAsync{T}(Func{WriteScope, T}, CancellationToken)"/>
    public Task WriteAsync(Action<WriteScope> work, CancellationToken cancellationToken) => WriteAsync(
        scope =>
        {
            work(scope);
            return true;
        },
        cancellationToken);

    /// <summary>Queues work that nobody waits for. When it cannot be done, the log tells.</summary>
    public void Post(Action<WriteScope> work) => _ = PostAsync(work);

    /// <summary>Takes no more work and returns when what waits is on disk.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _loop;
        _scope.Dispose();
    }

    private async Task PostAsync(Action<WriteScope> work)
    {
        try
        {
            await WriteAsync(work, CancellationToken.None);
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
        catch (Exception e)
        {
            Log.PostFailed(_logger, e);
        }
    }

    private async Task RunAsync()
    {
        var batch = new List<WriteItem>(ItemsPerBatch);
        while (await _queue.Reader.WaitToReadAsync())
        {
            while (batch.Count < ItemsPerBatch && _queue.Reader.TryRead(out var item))
            {
                batch.Add(item);
            }

            Write(batch);
            batch.Clear();
        }
    }

    private void Write(List<WriteItem> batch)
    {
        using var commit = _commits.Begin(batch.Count);
        try
        {
            _scope.Begin();

            // Alone in its transaction, a piece of work needs no savepoint.
            var isAlone = batch.Count == 1;
            batch.ForEach(item => item.Run(_scope, isAlone));
            if (isAlone && batch[0].IsUndone)
            {
                _scope.Rollback();
            }
            else
            {
                _scope.Commit();
            }

            commit.Succeeded();
            batch.ForEach(static item => item.Complete());
        }
        catch (Exception e)
        {
            // Disk full or broken, or locked by another program for long: nothing of the batch happened, and each caller
            // is told so. The next batch finds out whether the cause went away.
            Log.BatchFailed(_logger, e, batch.Count);
            _scope.Rollback();
            batch.ForEach(item => item.Fail(e));
        }
    }

    private abstract class WriteItem
    {
        /// <summary>Whether the work threw, and nothing of it is to stay.</summary>
        public abstract bool IsUndone { get; }

        /// <summary>Runs the work, in a savepoint unless it is alone; what the work throws is kept for its caller.</summary>
        public abstract void Run(WriteScope scope, bool isAlone);

        public abstract void Complete();

        public abstract void Fail(Exception exception);
    }

    private sealed class WriteItem<T>(Func<WriteScope, T> work) : WriteItem
    {
        private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? _result;
        private Exception? _thrown;
        private List<Action> _afterCommit = [];

        public Task<T> Task => _done.Task;

        public override bool IsUndone => _thrown is not null;

        public override void Run(WriteScope scope, bool isAlone)
        {
            scope.BeginItem(isAlone);
            try
            {
                _result = work(scope);
                _afterCommit = scope.EndItem(isAlone);
            }
            catch (Exception e) when (e is not SqliteException { SqliteErrorCode: not Constraint })
            {
                scope.UndoItem(isAlone);
                _thrown = e;
            }
        }

        public override void Complete()
        {
            if (_thrown is not null)
            {
                _done.SetException(_thrown);
                return;
            }

            try
            {
                _afterCommit.ForEach(static action => action());
                _done.SetResult(_result!);
            }
            catch (Exception e)
            {
                _done.SetException(e);
            }
        }

        public override void Fail(Exception exception) => _done.TrySetException(exception);
    }

    private static partial class Log
    {
        [LoggerMessage(2001, LogLevel.Error, "A batch of {Count} changes could not be committed; none of them happened.")]
        public static partial void BatchFailed(ILogger logger, Exception exception, int count);

        [LoggerMessage(2002, LogLevel.Error, "A change that nobody waits for could not be made.")]
        public static partial void PostFailed(ILogger logger, Exception exception);
    }
}
