using KerberosMessaging.MessageServer.Domain;

namespace KerberosMessaging.MessageServer.Persistence.Sqlite;

/// <summary>What the writer knows of a mailbox without asking the database.</summary>
internal sealed class CachedMailbox(long id, DeviceAddress device, long lastSequence, int count, long bytes)
{
    public long Id => id;

    public DeviceAddress Device => device;

    public long LastSequence { get; private set; } = lastSequence;

    public int Count { get; private set; } = count;

    public long Bytes { get; private set; } = bytes;

    public bool HasRoomFor(int length, MailboxOptions limits) =>
        Count < limits.MaxMessages && Bytes + length <= limits.MaxBytes;

    /// <summary>Takes the next sequence number for an envelope.</summary>
    public long Add(int length)
    {
        Count++;
        Bytes += length;
        return ++LastSequence;
    }

    public void Remove(int length)
    {
        Count--;
        Bytes -= length;
    }
}
