using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>An envelope that waits in a mailbox. The sender is as its ticket proved it when it sent.</summary>
internal sealed record StoredEnvelope(
    long Sequence,
    MessageId Message,
    DeviceAddress Sender,
    string SenderName,
    DateTimeOffset AcceptedAt,
    byte[] Body);
