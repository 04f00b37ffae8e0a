namespace KerberosMessaging.MessageServer.Domain;

/// <summary>How full a mailbox is.</summary>
internal sealed record QueueState(
    long Mailbox,
    string ClientName,
    DeviceAddress Device,
    long Waiting,
    long Bytes,
    DateTimeOffset? OldestAcceptedAt,
    long? OldestSequence,
    long? NewestSequence,
    DateTimeOffset LastSeenAt);
