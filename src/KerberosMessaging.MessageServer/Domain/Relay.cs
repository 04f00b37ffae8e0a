using Microsoft.Extensions.Options;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>Takes messages in and wakes those they are for.</summary>
internal sealed class Relay(CommitQueue queue, Presence presence, IOptions<MailboxOptions> options)
{
    private readonly TimeSpan _defaultTimeToLive = TimeSpan.FromSeconds(options.Value.TimeToLiveSeconds);

    /// <summary>Stores a message. Its place in the order is taken before this method first waits.</summary>
    /// <remarks>Not cancellable: the recipient is woken after the commit even if the sender has gone.</remarks>
    public async Task<Committed<SendResult>> SendAsync(Submission submission)
    {
        var timeToLive = submission.TimeToLiveSeconds == 0
            ? _defaultTimeToLive
            : TimeSpan.FromSeconds(submission.TimeToLiveSeconds);
        var committed = await queue.CommitAsync(new AppendWrite(submission, timeToLive));
        if (committed is { IsDone: true, Result.Status: SendStatus.Accepted })
        {
            foreach (var envelope in submission.Envelopes)
            {
                presence.Find(new DeviceAddress(submission.Recipient, envelope.Device))?.Wake();
            }
        }

        return committed;
    }
}
