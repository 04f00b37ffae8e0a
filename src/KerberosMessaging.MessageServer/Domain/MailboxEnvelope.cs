namespace KerberosMessaging.MessageServer.Domain;

/// <summary>An envelope that is in a mailbox and not settled yet: neither on disk nor acknowledged.</summary>
internal sealed class MailboxEnvelope(Mailbox mailbox, PendingSend send, byte[] body, DateTimeOffset expiresAt) : AppendWrite
{
    private StoredEnvelope? _envelope;

    public Mailbox Mailbox => mailbox;

    public PendingSend Send => send;

    public int Length => body.Length;

    /// <summary>Guarded by the mailbox, as is the rest of what changes here.</summary>
    public EnvelopeState State { get; set; }

    /// <summary>When it was pushed, by the clock of <see cref="PushGrace"/>.</summary>
    public long PushedAt { get; set; }

    public long Sequence => Envelope.Sequence;

    public override long MailboxId => mailbox.Id;

    public override StoredEnvelope Envelope => _envelope!;

    public override DateTimeOffset ExpiresAt => expiresAt;

    /// <summary>Gives the envelope its number, once.</summary>
    public void Number(long sequence)
    {
        var submission = send.Submission;
        _envelope = new StoredEnvelope(
            sequence, submission.Message, submission.Sender, submission.SenderName, send.AcceptedAt, body);
    }

    public override bool Prepare(CommitBatch batch) => mailbox.TryBeginCommit(this, batch);

    public override void Complete(bool isCommitted) => mailbox.EndCommit(this, isCommitted);
}

/// <summary>How far an envelope has come.</summary>
internal enum EnvelopeState
{
    /// <summary>Pushed to its device, which has a moment to acknowledge it before it is written.</summary>
    Pushed,

    /// <summary>On its way to the store.</summary>
    Queued,

    /// <summary>In the transaction that is under way.</summary>
    Committing,

    /// <summary>Acknowledged while it was in the transaction; its deletion is queued.</summary>
    AcknowledgedInCommit,

    /// <summary>Acknowledged, stored, or failed.</summary>
    Settled,
}
