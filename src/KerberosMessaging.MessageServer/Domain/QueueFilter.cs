using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>Which mailboxes are looked for: the one of a number, those of a client, or those of a device id. The first that is given counts.</summary>
internal readonly record struct QueueFilter(long? Mailbox = null, ClientId? Client = null, string? ClientName = null, DeviceId? Device = null)
{
    /// <summary>Most mailboxes that are found: more than a client has.</summary>
    public const int Most = 200;
}
