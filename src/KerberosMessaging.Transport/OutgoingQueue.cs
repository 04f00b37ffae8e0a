using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Transport;

/// <summary>
/// The one writer of a channel: replies, requests and pushes share a bounded queue and one loop, so there is no write
/// lock, and frames that wait together leave in one flush. There is room while fewer than 1024 messages and less than 1 MiB
/// of what their senders said they hold have not left; so a single message is taken whatever its size. An idle queue holds
/// almost nothing.
/// </summary>
public sealed class OutgoingQueue
{
    // More than the credit that a device may give; a full queue makes its producers wait.
    private const int Capacity = 1024;

    // Mail for a peer that does not read must wait on disk and not here.
    private const long ByteCapacity = 1024 * 1024;

    // Where Kestrel's pipe begins to make its writer wait, too: more would only be memory.
    private const int BytesPerFlush = 64 * 1024;

    // What a window of messages fills; a longer list is given up when nothing waits.
    private const int KeptEntries = 64;

    private readonly SecureChannel _channel;
    private readonly Lock _lock = new();
    private readonly WakeUp _wakeUp = new();

    // Under the lock; swapped with the writer's own list, so that the lock is taken once for all that waits.
    private List<Outgoing> _waiting = [];
    private bool _isWriterWaiting;
    private bool _isCompleted;
    private TaskCompletionSource? _room;

    // Changed under the lock; what the writer has taken counts until it is flushed.
    private int _count;
    private long _bytes;

    // The writer's alone.
    private List<Outgoing> _leaving = [];
    private int _next;

    /// <summary>Makes a queue; <see cref="RunAsync"/> must be started for anything to leave.</summary>
    /// <param name="channel">The channel to write to.</param>
    public OutgoingQueue(SecureChannel channel) => _channel = channel;

    /// <summary>
    /// Whether <see cref="TryEnqueue"/> would take a message now. Only a sole producer can rely on it: others may be faster.
    /// </summary>
    public bool HasRoom =>
        !Volatile.Read(ref _isCompleted) && Volatile.Read(ref _count) < Capacity && Volatile.Read(ref _bytes) < ByteCapacity;

    /// <summary>Queues a message.</summary>
    /// <param name="message">The message.</param>
    /// <param name="requestId">The requester's number; 0 in pushes.</param>
    /// <param name="cancellationToken">Ends the wait for room.</param>
    /// <exception cref="ChannelException">The connection is ending.</exception>
    public ValueTask EnqueueAsync(IWireMessage message, uint requestId, CancellationToken cancellationToken) =>
        AddAsync(new Outgoing(message, requestId, 0, null), cancellationToken);

    /// <summary>Queues a message that holds much.</summary>
    /// <param name="message">The message.</param>
    /// <param name="requestId">The requester's number; 0 in pushes.</param>
    /// <param name="size">About how many bytes it holds.</param>
    /// <param name="cancellationToken">Ends the wait for room.</param>
    /// <exception cref="ChannelException">The connection is ending.</exception>
    public ValueTask EnqueueAsync(IWireMessage message, uint requestId, int size, CancellationToken cancellationToken) =>
        AddAsync(new Outgoing(message, requestId, size, null), cancellationToken);

    /// <summary>
    /// Queues a message after which nothing is sent until <paramref name="mixKey"/> is there; if it is a key, it is then
    /// mixed into the sending keys (AP exchange). The queue disposes of the key.
    /// </summary>
    /// <param name="message">The message.</param>
    /// <param name="requestId">The requester's number.</param>
    /// <param name="mixKey">The ticket's session key, or null when the exchange failed.</param>
    /// <param name="cancellationToken">Ends the wait for room.</param>
    /// <exception cref="ChannelException">The connection is ending.</exception>
    public ValueTask EnqueueBarrierAsync(
        IWireMessage message,
        uint requestId,
        Task<SecretBytes?> mixKey,
        CancellationToken cancellationToken) =>
        AddAsync(new Outgoing(message, requestId, 0, mixKey), cancellationToken);

    /// <summary>Queues a message if there is room now.</summary>
    /// <param name="message">The message.</param>
    /// <param name="requestId">The requester's number; 0 in pushes.</param>
    /// <param name="size">About how many bytes it holds; 0 for messages of a few dozen bytes, which only their count bounds.</param>
    /// <returns>False when the queue is full or the connection is ending.</returns>
    public bool TryEnqueue(IWireMessage message, uint requestId, int size = 0) =>
        TryAdd(new Outgoing(message, requestId, size, null), hasRoom: false);

    /// <summary>Queues a message whether or not there is room: for replies, whose number their requests bound.</summary>
    /// <param name="message">The message.</param>
    /// <param name="requestId">The requester's number.</param>
    /// <returns>False when the connection is ending.</returns>
    public bool Enqueue(IWireMessage message, uint requestId) => TryAdd(new Outgoing(message, requestId, 0, null), hasRoom: true);

    /// <summary>Waits until there is room; see <see cref="HasRoom"/>.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ChannelException">The connection is ending.</exception>
    public async ValueTask WaitForRoomAsync(CancellationToken cancellationToken)
    {
        while (NextRoom() is { } room)
        {
            await room.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Takes no more messages; <see cref="RunAsync"/> ends once what waits has left.</summary>
    public void Complete()
    {
        TaskCompletionSource? room;
        lock (_lock)
        {
            _isCompleted = true;
            (room, _room) = (_room, null);
        }

        room?.SetResult();
        Wake();
    }

    /// <summary>Writes until <see cref="Complete"/> was called and the queue is empty, or the peer is gone.</summary>
    /// <param name="cancellationToken">Ends the loop at once.</param>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var registration = cancellationToken.UnsafeRegister(static state => ((OutgoingQueue)state!).Wake(), this);
        try
        {
            while (await WaitToTakeAsync(cancellationToken).ConfigureAwait(false))
            {
                cancellationToken.ThrowIfCancellationRequested();
                var (count, bytes, barrier) = WriteForOneFlush();
                if (!await _channel.FlushAsync(cancellationToken).ConfigureAwait(false))
                {
                    return;
                }

                MakeRoom(count, bytes);
                if (barrier is not null)
                {
                    using var key = await barrier.WaitAsync(cancellationToken).ConfigureAwait(false);
                    if (key is not null)
                    {
                        _channel.MixSend(key.Span);
                    }
                }
            }
        }
        finally
        {
            await registration.DisposeAsync().ConfigureAwait(false);
            Complete();
        }
    }

    private (int Count, long Bytes, Task<SecretBytes?>? Barrier) WriteForOneFlush()
    {
        var (written, count, bytes) = (0, 0, 0L);
        while (written + _channel.AddedBytes < BytesPerFlush && TryTake(out var outgoing))
        {
            written += _channel.Add(outgoing.Message, outgoing.RequestId);
            count++;
            bytes += outgoing.Size;
            if (outgoing.MixKey is { } barrier)
            {
                // Whatever follows is sealed under other keys.
                _channel.Seal();
                return (count, bytes, barrier);
            }
        }

        _channel.Seal();
        return (count, bytes, null);
    }

    private ValueTask AddAsync(in Outgoing outgoing, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        return TryAdd(outgoing, hasRoom: false) ? ValueTask.CompletedTask : AddLaterAsync(outgoing, cancellationToken);
    }

    private async ValueTask AddLaterAsync(Outgoing outgoing, CancellationToken cancellationToken)
    {
        do
        {
            await WaitForRoomAsync(cancellationToken).ConfigureAwait(false);
        }
        while (!TryAdd(outgoing, hasRoom: false));
    }

    private bool TryAdd(in Outgoing outgoing, bool hasRoom)
    {
        lock (_lock)
        {
            if (_isCompleted || (!hasRoom && !HasRoom))
            {
                return false;
            }

            _waiting.Add(outgoing);
            _count++;
            _bytes += outgoing.Size;
            if (!_isWriterWaiting)
            {
                return true;
            }

            _isWriterWaiting = false;
        }

        _wakeUp.Set();
        return true;
    }

    // Null where there is room.
    private Task? NextRoom()
    {
        lock (_lock)
        {
            if (_isCompleted)
            {
                throw new ChannelException(ChannelFailure.ConnectionLost, "The connection is ending.");
            }

            return HasRoom ? null : (_room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    private void MakeRoom(int count, long bytes)
    {
        TaskCompletionSource? room = null;
        lock (_lock)
        {
            _count -= count;
            _bytes -= bytes;
            if (HasRoom)
            {
                (room, _room) = (_room, null);
            }
        }

        room?.SetResult();
    }

    private bool TryTake(out Outgoing outgoing)
    {
        if (_next == _leaving.Count && !TrySwap())
        {
            outgoing = default;
            return false;
        }

        outgoing = _leaving[_next++];
        return true;
    }

    private bool TrySwap()
    {
        _leaving.Clear();
        _next = 0;
        lock (_lock)
        {
            (_waiting, _leaving) = (_leaving, _waiting);
        }

        return _leaving.Count > 0;
    }

    // False when nothing waits and nothing will.
    private ValueTask<bool> WaitToTakeAsync(CancellationToken cancellationToken)
    {
        if (_next < _leaving.Count)
        {
            return ValueTask.FromResult(true);
        }

        _leaving = Emptied(_leaving);
        _next = 0;
        lock (_lock)
        {
            // A cancellation that comes later finds the writer waiting and wakes it.
            if (_waiting.Count > 0 || cancellationToken.IsCancellationRequested)
            {
                return ValueTask.FromResult(true);
            }

            if (_isCompleted)
            {
                return ValueTask.FromResult(false);
            }

            _waiting = Emptied(_waiting);
            _isWriterWaiting = true;
            return _wakeUp.Next();
        }
    }

    private void Wake()
    {
        lock (_lock)
        {
            if (!_isWriterWaiting)
            {
                return;
            }

            _isWriterWaiting = false;
        }

        _wakeUp.Set();
    }

    private static List<Outgoing> Emptied(List<Outgoing> list)
    {
        list.Clear();
        return list.Capacity > KeptEntries ? [] : list;
    }

    private readonly record struct Outgoing(IWireMessage Message, uint RequestId, int Size, Task<SecretBytes?>? MixKey);
}
