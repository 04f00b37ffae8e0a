using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain.Blobs;

/// <summary>
/// One at a time for each blob, in the order of asking, however many connections upload it: whoever changes a blob's file or
/// row has its turn. Blobs do not wait for each other.
/// </summary>
internal sealed class BlobTurns
{
    private readonly Lock _lock = new();
    private readonly Dictionary<BlobId, Task> _last = [];

    /// <summary>Takes a place in the order before it returns, and waits for the turn; disposing ends it.</summary>
    public async ValueTask<Turn> WaitAsync(BlobId blob)
    {
        var turn = new Turn(this, blob);
        Task before;
        lock (_lock)
        {
            before = _last.GetValueOrDefault(blob, Task.CompletedTask);
            _last[blob] = turn.Ended;
        }

        await before;
        return turn;
    }

    private void End(Turn turn, BlobId blob)
    {
        lock (_lock)
        {
            if (_last[blob] == turn.Ended)
            {
                _last.Remove(blob);
            }
        }
    }

    internal sealed class Turn(BlobTurns turns, BlobId blob) : IDisposable
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Ended => _ended.Task;

        public void Dispose()
        {
            turns.End(this, blob);
            _ended.SetResult();
        }
    }
}
