namespace KerberosMessaging.MessageServer.Domain;

/// <summary>A message that waits until each of its envelopes is on disk or acknowledged by its device.</summary>
internal abstract class PendingSend(Submission submission, DateTimeOffset acceptedAt)
{
    private SenderHistory? _history;
    private Action<long, bool>? _settled;
    private List<PendingSend>? _repeats;
    private int _unwritten;
    private int _unsettled;
    private volatile bool _failed;

    /// <summary>The message.</summary>
    public Submission Submission => submission;

    /// <summary>When the server took it.</summary>
    public DateTimeOffset AcceptedAt => acceptedAt;

    /// <summary>Says how many envelopes there are, before the first can be settled.</summary>
    /// <param name="history">The sender's history, in which the message is.</param>
    /// <param name="settled">Is told how many bytes of memory the message counted for, and whether it was accepted.</param>
    public void Begin(SenderHistory history, Action<long, bool> settled)
    {
        _history = history;
        _settled = settled;
        _unwritten = _unsettled = submission.Envelopes.Count;
    }

    /// <summary>
    /// An envelope goes into a transaction. That of the last one remembers the message's id too, and none before it does: after a
    /// crash in between, a repeat must not be taken for answered while an envelope is nowhere.
    /// </summary>
    public void RememberIn(CommitBatch batch)
    {
        if (Interlocked.Decrement(ref _unwritten) == 0 && !_failed)
        {
            batch.Remember(_history!, new SentId(submission.Message, submission.Digest, acceptedAt));
        }
    }

    /// <summary>One envelope is settled that was in no transaction: its device acknowledged it before.</summary>
    public void SettleUnwritten()
    {
        Interlocked.Decrement(ref _unwritten);
        Settle(isKept: true);
    }

    /// <summary>One envelope is settled: on disk, or acknowledged by its device.</summary>
    /// <param name="isKept">False when it could not be written.</param>
    public void Settle(bool isKept)
    {
        if (!isKept)
        {
            _failed = true;
        }

        if (Interlocked.Decrement(ref _unsettled) == 0)
        {
            _settled!(submission.Size, !_failed);
            Finish(_history!, _failed ? SendResult.Refused(SendStatus.Busy) : SendResult.Accepted(acceptedAt));
        }
    }

    /// <summary>Answers, and forgets the message unless it was accepted.</summary>
    public void Finish(SenderHistory history, SendResult result)
    {
        var repeats = history.Finish(this, result.Status == SendStatus.Accepted);
        Answer(result);
        foreach (var repeat in repeats)
        {
            repeat.Answer(result);
        }
    }

    /// <summary>Tells the sender. Must neither throw nor wait.</summary>
    public abstract void Answer(SendResult result);

    /// <summary>Lets a repeat of this message have the same answer. Under the history's lock.</summary>
    internal void AddRepeat(PendingSend repeat) => (_repeats ??= []).Add(repeat);

    /// <summary>The repeats. Under the history's lock, once.</summary>
    internal IReadOnlyList<PendingSend> TakeRepeats() => _repeats ?? (IReadOnlyList<PendingSend>)[];
}
