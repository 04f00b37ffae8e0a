using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// One connection of a device and what flows down it: the mailbox in order, from the oldest unacknowledged message, and
/// never more messages than the device gave credit for. While nothing flows it holds no thread and no task.
/// </summary>
internal sealed partial class DeviceConnection
{
    /// <summary>Most credit that may be outstanding; a larger grant counts as this.</summary>
    public const int MaxCredit = 1000;

    private const int EnvelopesPerRead = 64;
    private const long BytesPerRead = 1024 * 1024;

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly IMailboxStore _store;
    private readonly Func<StoredEnvelope, ValueTask<bool>> _push;
    private readonly Action _takeOver;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationToken _closing;
    private long _position;
    private int _credit;
    private int _wakes;
    private int _claimed;

    /// <summary>Makes a connection; nothing flows before credit is granted.</summary>
    /// <param name="session">The channel's session id.</param>
    /// <param name="device">The device, as its ticket proved it.</param>
    /// <param name="mailbox">Its mailbox.</param>
    /// <param name="store">Where the mailbox is.</param>
    /// <param name="push">Sends a message to the device, waiting for room; false when the connection has ended.</param>
    /// <param name="takeOver">Ends the connection because a newer one took its place.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where faults of the store are told.</param>
    /// <param name="closing">Cancelled when the connection ends.</param>
    public DeviceConnection(
        SessionId session,
        DeviceAddress device,
        long mailbox,
        IMailboxStore store,
        Func<StoredEnvelope, ValueTask<bool>> push,
        Action takeOver,
        TimeProvider time,
        ILogger logger,
        CancellationToken closing)
    {
        Session = session;
        Device = device;
        Mailbox = mailbox;
        _store = store;
        _push = push;
        _takeOver = takeOver;
        _time = time;
        _logger = logger;
        _closing = closing;
    }

    public SessionId Session { get; }

    public DeviceAddress Device { get; }

    public long Mailbox { get; }

    /// <summary>How many more messages the device takes now.</summary>
    public int Credit => Volatile.Read(ref _credit);

    /// <summary>
    /// True once: the first time. A connection that was taken over and has not ended yet must not take its place back.
    /// </summary>
    public bool TryClaim() => Interlocked.Exchange(ref _claimed, 1) == 0;

    /// <summary>Adds credit.</summary>
    /// <param name="messages">How many more messages the device takes.</param>
    public void Grant(uint messages)
    {
        int before, after;
        do
        {
            before = Volatile.Read(ref _credit);
            after = (int)Math.Min(MaxCredit, before + (long)messages);
        }
        while (Interlocked.CompareExchange(ref _credit, after, before) != before);

        Wake();
    }

    /// <summary>Looks into the mailbox, now or right after the look that is under way.</summary>
    public void Wake()
    {
        if (Interlocked.Increment(ref _wakes) == 1)
        {
            _ = Task.Run(DeliverAsync);
        }
    }

    /// <summary>Ends the connection because a newer one took its place.</summary>
    public void TakeOver() => _takeOver();

    private async Task DeliverAsync()
    {
        // A wake that comes while this runs makes it look again: after the last look nothing was committed unseen.
        int seen;
        do
        {
            seen = Volatile.Read(ref _wakes);
            while (!await TryDeliverAsync())
            {
                await Task.Delay(RetryAfter, _time, _closing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        while (Interlocked.Add(ref _wakes, -seen) != 0);
    }

    // False when the store failed and another try makes sense.
    private async Task<bool> TryDeliverAsync()
    {
        try
        {
            await DeliverWhileCreditLastsAsync();
            return true;
        }
        catch (Exception e) when (!_closing.IsCancellationRequested)
        {
            Log.ReadFailed(_logger, e);
            return false;
        }
        catch (Exception)
        {
            // The connection has ended, perhaps with the whole server: nobody waits for these messages here.
            return true;
        }
    }

    private async Task DeliverWhileCreditLastsAsync()
    {
        while (Credit is > 0 and var credit && !_closing.IsCancellationRequested)
        {
            var envelopes = await _store.ReadAsync(
                Mailbox, _position, _time.GetUtcNow(), Math.Min(credit, EnvelopesPerRead), BytesPerRead);
            if (envelopes.Count == 0)
            {
                return;
            }

            foreach (var envelope in envelopes)
            {
                if (!await _push(envelope))
                {
                    return;
                }

                _position = envelope.Sequence;
                Interlocked.Decrement(ref _credit);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3101, LogLevel.Error, "A mailbox could not be read; its delivery is tried again.")]
        public static partial void ReadFailed(ILogger logger, Exception exception);
    }
}
