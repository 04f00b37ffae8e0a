using System.Collections.Concurrent;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// Opens mailboxes. One that was opened a moment ago is there, and was noted as seen: to write that again at every connection
/// would make each of them a disk write. A mailbox goes only with its device, whose tickets are refused from then on.
/// </summary>
internal sealed class OpenedMailboxes(CommitQueue queue, TimeProvider time)
{
    // When a device was last seen is thus known to the minute.
    private static readonly TimeSpan Moment = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<DeviceAddress, Opened> _opened = new();

    /// <summary>Finds a device's mailbox, or makes it; see <see cref="OpenMailboxWrite"/>.</summary>
    public async Task<Committed<long?>> OpenAsync(DeviceAddress device, string clientName, CancellationToken cancellationToken)
    {
        if (_opened.TryGetValue(device, out var opened) && IsFresh(opened))
        {
            return new Committed<long?>(true, opened.Mailbox);
        }

        var at = time.GetUtcNow();
        var mailbox = await queue.CommitAsync(new OpenMailboxWrite(device, clientName)).WaitAsync(cancellationToken);
        if (mailbox is { IsDone: true, Result: { } id })
        {
            _opened[device] = new Opened(id, at);
        }

        return mailbox;
    }

    /// <summary>Forgets those that were opened longer ago.</summary>
    public void Sweep()
    {
        foreach (var opened in _opened)
        {
            if (!IsFresh(opened.Value))
            {
                _opened.TryRemove(opened);
            }
        }
    }

    private bool IsFresh(Opened opened) => time.GetUtcNow() - opened.At < Moment;

    private readonly record struct Opened(long Mailbox, DateTimeOffset At);
}
