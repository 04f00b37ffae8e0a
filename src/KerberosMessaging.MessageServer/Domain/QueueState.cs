namespace KerberosMessaging.MessageServer.Domain;

/// <summary>How full a mailbox is.</summary>
internal sealed record QueueState(
    string ClientName,
    DeviceAddress Device,
    long Waiting,
    long Bytes,
    DateTimeOffset? OldestAcceptedAt,
    long? NewestSequence,
    DateTimeOffset LastSeenAt);
