using KerberosMessaging.Protocol;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>Takes messages in: all envelopes of one, once, or none.</summary>
internal sealed partial class Relay
{
    // Beyond this a burst of large messages is refused, not held in memory.
    private const long MostHeldBytes = 64 * 1024 * 1024;

    private readonly MailboxDirectory _mailboxes;
    private readonly CommitQueue _queue;
    private readonly IMailboxStore _store;
    private readonly StoreGuard _guard;
    private readonly MailboxOptions _limits;
    private readonly TimeSpan _defaultTimeToLive;
    private readonly ILogger _logger;
    private readonly FailureReports _failures = new(TimeProvider.System);
    private readonly Action<long, bool> _settled;
    private long _heldBytes;
    private long _accepted;

    public Relay(
        MailboxDirectory mailboxes,
        CommitQueue queue,
        IMailboxStore store,
        StoreGuard guard,
        IOptions<MailboxOptions> options,
        ILogger<Relay> logger)
    {
        _queue = queue;
        _mailboxes = mailboxes;
        _store = store;
        _guard = guard;
        _limits = options.Value;
        _defaultTimeToLive = TimeSpan.FromSeconds(options.Value.TimeToLiveSeconds);
        _logger = logger;
        _settled = Settled;
    }

    /// <summary>How many messages were accepted since the start.</summary>
    public long Accepted => Interlocked.Read(ref _accepted);

    /// <summary>
    /// Gives a message its place in the mailboxes of its recipient. It is answered when every envelope is on disk or acknowledged,
    /// whether or not its sender is still there.
    /// </summary>
    /// <param name="send">The message.</param>
    /// <param name="sender">The sending device's mailbox.</param>
    public async ValueTask SendAsync(PendingSend send, Mailbox sender)
    {
        SenderHistory? history = null;
        try
        {
            if (send.Submission.IsEphemeral)
            {
                send.Answer(await PushAsync(send));
                return;
            }

            history = sender.History ?? await LoadHistoryAsync(sender);
            var known = history.Start(send, out var isNew);
            if (isNew)
            {
                var refusal = await TryTakeAsync(send, history);
                if (refusal is not null)
                {
                    send.Finish(history, refusal);
                }
            }
            else if (known is not null)
            {
                send.Answer(known);
            }
        }
        catch (Exception e)
        {
            // The disk, mostly. The sender comes again, and an operator is told.
            if (_failures.Add(out var untold))
            {
                Log.LookUpFailed(_logger, e, untold);
            }

            var busy = SendResult.Refused(SendStatus.Busy);
            if (history is null)
            {
                send.Answer(busy);
            }
            else
            {
                send.Finish(history, busy);
            }
        }
    }

    private async ValueTask<SenderHistory> LoadHistoryAsync(Mailbox sender)
    {
        var (lastNumber, ids) = await _store.ReadSentAsync(sender.Id);
        return sender.Remember(new SenderHistory(sender.Id, lastNumber, ids));
    }

    // Null when it was taken.
    private async ValueTask<SendResult?> TryTakeAsync(PendingSend send, SenderHistory history)
    {
        var submission = send.Submission;
        if (_guard.IsFull)
        {
            return SendResult.Refused(SendStatus.StoreFull);
        }

        if (_queue.IsFull)
        {
            return SendResult.Refused(SendStatus.Busy);
        }

        if (Interlocked.Add(ref _heldBytes, submission.Size) > MostHeldBytes)
        {
            Release(submission.Size);
            return SendResult.Refused(SendStatus.Busy);
        }

        SendResult? refusal;
        RoomResult room;
        IReadOnlyList<Mailbox> mailboxes;
        do
        {
            try
            {
                mailboxes = await _mailboxes.FindAsync(submission.Recipient);
            }
            catch
            {
                Release(submission.Size);
                throw;
            }

            refusal = Check(submission, mailboxes);
            room = refusal is null ? TakeRoom(submission, mailboxes) : RoomResult.Full;
        }
        while (room == RoomResult.Closed);
        if (room == RoomResult.Full)
        {
            Release(submission.Size);
            return refusal ?? SendResult.Refused(SendStatus.QuotaExceeded);
        }

        var expiresAt = send.AcceptedAt
            + (submission.TimeToLiveSeconds == 0 ? _defaultTimeToLive : TimeSpan.FromSeconds(submission.TimeToLiveSeconds));
        send.Begin(history, _settled);
        for (var i = 0; i < submission.Envelopes.Count; i++)
        {
            var (device, body) = submission.Envelopes[i];
            var mailbox = Find(mailboxes, device)!;
            mailbox.Append(new MailboxEnvelope(mailbox, send, body, expiresAt));
        }

        return null;
    }

    private void Settled(long bytes, bool isAccepted)
    {
        Release(bytes);
        if (isAccepted)
        {
            Interlocked.Increment(ref _accepted);
        }
    }

    private void Release(long bytes) => Interlocked.Add(ref _heldBytes, -bytes);

    private async ValueTask<SendResult> PushAsync(PendingSend send)
    {
        var submission = send.Submission;
        var mailboxes = await _mailboxes.FindAsync(submission.Recipient);
        if (Check(submission, mailboxes) is { } refusal)
        {
            return refusal;
        }

        for (var i = 0; i < submission.Envelopes.Count; i++)
        {
            var (device, body) = submission.Envelopes[i];
            Find(mailboxes, device)!.PushEphemeral(new StoredEnvelope(
                0, submission.Message, submission.Sender, submission.SenderName, send.AcceptedAt, body));
        }

        Interlocked.Increment(ref _accepted);
        return SendResult.Accepted(send.AcceptedAt);
    }

    private static SendResult? Check(Submission submission, IReadOnlyList<Mailbox> mailboxes)
    {
        if (mailboxes.Count == 0)
        {
            return SendResult.Refused(SendStatus.UnknownClient);
        }

        List<DeviceId>? unknown = null, missing = null;
        for (var i = 0; i < submission.Envelopes.Count; i++)
        {
            var device = submission.Envelopes[i].Device;
            if (Find(mailboxes, device) is null)
            {
                (unknown ??= []).Add(device);
            }
        }

        for (var i = 0; i < mailboxes.Count; i++)
        {
            // Whoever writes to itself means its other devices.
            var device = mailboxes[i].Device;
            if (!IsNamed(submission, device.Device) && device != submission.Sender)
            {
                (missing ??= []).Add(device.Device);
            }
        }

        return unknown is null && missing is null ? null : SendResult.Mismatched(unknown ?? [], missing ?? []);
    }

    private static bool IsNamed(Submission submission, DeviceId device)
    {
        for (var i = 0; i < submission.Envelopes.Count; i++)
        {
            if (submission.Envelopes[i].Device == device)
            {
                return true;
            }
        }

        return submission.LeftOut.Contains(device);
    }

    // In all mailboxes or in none.
    private RoomResult TakeRoom(Submission submission, IReadOnlyList<Mailbox> mailboxes)
    {
        for (var i = 0; i < submission.Envelopes.Count; i++)
        {
            var (device, body) = submission.Envelopes[i];
            var room = Find(mailboxes, device)!.TakeRoom(body.Length, _limits);
            if (room != RoomResult.Taken)
            {
                while (--i >= 0)
                {
                    Find(mailboxes, submission.Envelopes[i].Device)!.GiveBackRoom(submission.Envelopes[i].Body.Length);
                }

                return room;
            }
        }

        return RoomResult.Taken;
    }

    private static Mailbox? Find(IReadOnlyList<Mailbox> mailboxes, DeviceId device)
    {
        for (var i = 0; i < mailboxes.Count; i++)
        {
            if (mailboxes[i].Device.Device == device)
            {
                return mailboxes[i];
            }
        }

        return null;
    }

    private static partial class Log
    {
        [LoggerMessage(3211, LogLevel.Error, "The store could not be read for a message; its sender was told to retry. So were those of {Untold} messages before.")]
        public static partial void LookUpFailed(ILogger logger, Exception exception, int untold);
    }
}
