namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// Takes messages out of mailboxes that are not to be delivered any more: for their senders they were accepted, as if the device had acknowledged
/// them. It goes in steps so small that no sender waits long behind one, and can be broken off between two.
/// </summary>
internal sealed class MailboxCleaner(CommitQueue queue, MailboxDirectory mailboxes, QueueReader queues)
{
    private const int EnvelopesPerStep = 500;
    private const int MailboxesPerSweep = 1000;

    /// <summary>Empties a mailbox of what was accepted before a time. What comes while this runs stays.</summary>
    /// <param name="device">The mailbox's device; where there is no such mailbox, nothing happens.</param>
    /// <param name="acceptedBefore">What was accepted at this time or later stays.</param>
    /// <param name="discarded">Is told how many messages went, after each step.</param>
    /// <param name="cancellationToken">Ends it between two steps.</param>
    /// <exception cref="IOException">The store could not be written; what is left can be discarded later.</exception>
    public async Task DiscardAsync(
        DeviceAddress device, DateTimeOffset acceptedBefore, Action<int> discarded, CancellationToken cancellationToken)
    {
        Mailbox? mailbox;
        long last;
        do
        {
            mailbox = (await mailboxes.FindAsync(device.Client)).FirstOrDefault(each => each.Device == device);
            if (mailbox is null)
            {
                return;
            }
        }
        while (!mailbox.TryBeginDiscard(out last));

        try
        {
            discarded(mailbox.DiscardUnsettled(last, acceptedBefore));
            DiscardWrite step;
            do
            {
                cancellationToken.ThrowIfCancellationRequested();
                step = new DiscardWrite(mailbox, last, acceptedBefore, EnvelopesPerStep);
                if (await queue.CommitAsync(step) is not { IsDone: true, Result: var deleted })
                {
                    throw new IOException("The store could not be written.");
                }

                discarded(deleted.Count);
            }
            while (step.HasMore);
        }
        finally
        {
            mailbox.EndDelete();
        }
    }

    /// <summary>Empties all mailboxes of what was accepted before a time, one after the other.</summary>
    /// <param name="acceptedBefore">What was accepted at this time or later stays.</param>
    /// <param name="discarded">Is told how many messages went, after each step.</param>
    /// <param name="cancellationToken">Ends it between two steps.</param>
    /// <exception cref="IOException">The store could not be written; what is left can be discarded later.</exception>
    public async Task DiscardEverywhereAsync(DateTimeOffset acceptedBefore, Action<int> discarded, CancellationToken cancellationToken)
    {
        var seen = 0;
        foreach (var mailbox in queues.NotEmpty())
        {
            foreach (var row in await queues.FindAsync(new QueueFilter(mailbox)))
            {
                if (row.OldestAcceptedAt < acceptedBefore)
                {
                    await DiscardAsync(row.Device, acceptedBefore, discarded, cancellationToken);
                }
            }

            // Each of them had to come into memory.
            if (++seen % MailboxesPerSweep == 0)
            {
                mailboxes.Sweep();
            }
        }
    }
}
