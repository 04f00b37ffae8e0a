namespace KerberosMessaging.MessageServer.Domain;

/// <summary>Puts the envelopes of a submission into the mailboxes of its recipient: all of them, once, or none.</summary>
/// <param name="submission">What was asked for.</param>
/// <param name="timeToLive">How long the envelopes may wait.</param>
internal sealed class AppendWrite(Submission submission, TimeSpan timeToLive) : StoreWrite<SendResult>
{
    public Submission Submission => submission;

    public TimeSpan TimeToLive => timeToLive;

    public override long Size => submission.Size;
}
