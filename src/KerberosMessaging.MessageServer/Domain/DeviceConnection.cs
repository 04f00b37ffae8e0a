using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// One connection of a device and what flows down it: the mailbox in order, from the oldest unacknowledged message, and
/// never more messages than the device gave credit for. While nothing flows it holds no thread and no task.
/// </summary>
internal abstract partial class DeviceConnection
{
    /// <summary>Most credit that may be outstanding; a larger grant counts as this.</summary>
    public const int MaxCredit = 1000;

    private const int EnvelopesPerRead = 128;
    private const long BytesPerRead = 1024 * 1024;

    // A device needs longer than this to make new prekeys; somebody who fetches on and on must not make it work.
    private static readonly TimeSpan AlertPause = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly IMailboxStore _store;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly FailureReports _failures;
    private int _wakes;
    private int _claimed;
    private long _nextAlertAt;

    /// <summary>Makes a connection; nothing flows before credit is granted.</summary>
    /// <param name="mailbox">The device's mailbox.</param>
    /// <param name="services">What all connections share.</param>
    protected DeviceConnection(Mailbox mailbox, DeliveryService services)
    {
        Mailbox = mailbox;
        _store = services.Store;
        _time = services.Time;
        _logger = services.Logger;
        _failures = services.Failures;
    }

    /// <summary>The device, as its ticket proved it.</summary>
    public DeviceAddress Device => Mailbox.Device;

    /// <summary>The device's mailbox.</summary>
    public Mailbox Mailbox { get; }

    /// <summary>The channel's session id.</summary>
    public abstract SessionId Session { get; }

    /// <summary>The claim on the device's mail; 0 before the first credit.</summary>
    public long Epoch { get; set; }

    /// <summary>How many more messages the device takes now. Guarded by the mailbox.</summary>
    public int Credit { get; set; }

    /// <summary>The number of the last message that was pushed. Guarded by the mailbox.</summary>
    public long Position { get; set; }

    /// <summary>Cancelled when the connection ends.</summary>
    protected abstract CancellationToken Closing { get; }

    /// <summary>
    /// True once: the first time. A connection that was taken over and has not ended yet must not take its place back.
    /// </summary>
    public bool TryClaim() => Interlocked.Exchange(ref _claimed, 1) == 0;

    /// <summary>Sends a message to the device, without waiting.</summary>
    /// <returns>False when too much waits to be sent already, or the connection has ended.</returns>
    public abstract bool TryPush(StoredEnvelope envelope);

    /// <summary>Tells the device that few of its one-time prekeys are left, if there is room.</summary>
    public abstract void TellPrekeysLow(PrekeyStock stock);

    /// <summary>Whether the device may be told of its prekeys now: true once in a while.</summary>
    public bool TryBeginAlert(DateTimeOffset now)
    {
        var nextAt = Volatile.Read(ref _nextAlertAt);
        return now.UtcTicks >= nextAt && Interlocked.CompareExchange(ref _nextAlertAt, (now + AlertPause).UtcTicks, nextAt) == nextAt;
    }

    /// <summary>Ends the connection because a newer one took its place.</summary>
    public abstract void TakeOver();

    /// <summary>Looks into the mailbox, now or right after the look that is under way.</summary>
    public void Wake()
    {
        if (Interlocked.Increment(ref _wakes) == 1)
        {
            _ = Task.Run(DeliverAsync);
        }
    }

    /// <summary>Waits until there is room for a push; false when the connection has ended.</summary>
    protected abstract ValueTask<bool> WaitForRoomAsync();

    private async Task DeliverAsync()
    {
        // A wake that comes while this runs makes it look again: after the last look nothing was committed unseen.
        int seen;
        do
        {
            seen = Volatile.Read(ref _wakes);
            while (!await TryDeliverAsync())
            {
                await Task.Delay(RetryAfter, _time, Closing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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
        catch (Exception e) when (!Closing.IsCancellationRequested)
        {
            if (_failures.Add(out var untold))
            {
                Log.ReadFailed(_logger, e, untold);
            }

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
        while (Mailbox.TryLook(this, out var look) && !Closing.IsCancellationRequested)
        {
            var envelopes = await _store.ReadAsync(
                Mailbox.Id, look.After, _time.GetUtcNow(), Math.Min(look.Credit, EnvelopesPerRead), BytesPerRead);
            var result = PushResult.Done;
            for (var i = 0; i < envelopes.Count && result == PushResult.Done; i++)
            {
                result = await PushAsync(envelopes[i]);
            }

            if (envelopes.Count == 0)
            {
                result = Mailbox.PushUnsettled(this, look);
                if (result == PushResult.NoRoom && await WaitForRoomAsync())
                {
                    continue;
                }
            }

            if (result != PushResult.Done)
            {
                return;
            }
        }
    }

    private async ValueTask<PushResult> PushAsync(StoredEnvelope envelope)
    {
        while (true)
        {
            var result = Mailbox.Push(this, envelope);
            if (result != PushResult.NoRoom)
            {
                return result;
            }

            if (!await WaitForRoomAsync())
            {
                return PushResult.Stop;
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3101, LogLevel.Error, "A mailbox could not be read; its delivery is tried again. There were {Untold} tries in vain before.")]
        public static partial void ReadFailed(ILogger logger, Exception exception, int untold);
    }
}
