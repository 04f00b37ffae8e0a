using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Tests.Support;

/// <summary>A connection of a device that keeps what is pushed to it, as long as there is room.</summary>
internal sealed class TestConnection(Mailbox mailbox, DeliveryService services) : DeviceConnection(mailbox, services), IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<StoredEnvelope> _pushed = [];
    private readonly CancellationTokenSource _closing = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _room = int.MaxValue;

    public override SessionId Session { get; } = SessionId.New();

    public bool IsTakenOver { get; private set; }

    /// <summary>All that was pushed, in order.</summary>
    public IReadOnlyList<StoredEnvelope> Pushed
    {
        get
        {
            lock (_lock)
            {
                return [.. _pushed];
            }
        }
    }

    public IEnumerable<long> Sequences => Pushed.Select(static envelope => envelope.Sequence);

    protected override CancellationToken Closing => _closing.Token;

    public void Dispose() => _closing.Dispose();

    public override bool TryPush(StoredEnvelope envelope)
    {
        lock (_lock)
        {
            if (_room == 0 || _closing.IsCancellationRequested)
            {
                return false;
            }

            _room--;
            _pushed.Add(envelope);
            Change();
            return true;
        }
    }

    public override void TellPrekeysLow(PrekeyStock stock) => throw new InvalidOperationException("No test here is about prekeys.");

    /// <summary>From now on so many more pushes find room.</summary>
    public void SetRoom(int room)
    {
        lock (_lock)
        {
            _room = room;
            Change();
        }
    }

    public override void TakeOver() => IsTakenOver = true;

    /// <summary>Nothing comes through any more; the server has yet to notice.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _closing.Cancel();
            Change();
        }
    }

    /// <summary>Waits until so many messages were pushed.</summary>
    public async Task<IReadOnlyList<StoredEnvelope>> WaitForAsync(int count, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (_pushed.Count >= count)
                {
                    return [.. _pushed];
                }

                changed = _changed.Task;
            }

            await changed.WaitAsync(Until.Deadline, cancellationToken);
        }
    }

    protected override async ValueTask<bool> WaitForRoomAsync()
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (_closing.IsCancellationRequested)
                {
                    return false;
                }

                if (_room > 0)
                {
                    return true;
                }

                changed = _changed.Task;
            }

            await changed;
        }
    }

    private void Change()
    {
        _changed.SetResult();
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
