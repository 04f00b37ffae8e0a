using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Persistence;

/// <summary>What is remembered of a device's one-time prekeys of one kind beside those that are left.</summary>
internal sealed class OneTimePrekeyStockRow
{
    public long MailboxId { get; set; }

    public OneTimePrekeyKind Kind { get; set; }

    /// <summary>The highest id ever taken in: an upload that is repeated brings nothing back that was handed out.</summary>
    public uint NewestId { get; set; }

    /// <summary>How many fetches found none.</summary>
    public long Misses { get; set; }
}
