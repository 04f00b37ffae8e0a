namespace KerberosMessaging.MessageServer.Admin;

/// <summary>A device's mailbox, more closely.</summary>
/// <param name="ClientName" example="bob">The client's name, as its latest ticket said.</param>
/// <param name="ClientId" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client's id.</param>
/// <param name="DeviceId" example="c2f8d9a1-7b3e-4c56-b0a4-5e6d7f8091a2">The device's id.</param>
/// <param name="Waiting" example="3">How many messages wait to be acknowledged.</param>
/// <param name="Bytes" example="1536">How many bytes of envelopes wait.</param>
/// <param name="OldestAcceptedAt" example="2026-05-04T08:15:30Z">When the oldest of them was accepted; null when none waits.</param>
/// <param name="NewestSequence" example="128">The sequence number of the newest of them; null when none waits.</param>
/// <param name="AcknowledgedThrough" example="125">Up to this number everything was acknowledged, has expired or was deleted; null when none waits, for then all was.</param>
/// <param name="LastSeenAt" example="2026-05-04T08:25:30Z">When the device last connected, to the minute.</param>
/// <param name="IsConnected" example="true">Whether the device is connected.</param>
/// <param name="SessionId" example="4f1c2a9b-e07d-4c31-a5d8-6e0f9b7c2d14">The connection that its messages flow down; null when they do not flow.</param>
/// <param name="Credit" example="64">How many more messages that connection takes now.</param>
internal sealed record MailboxView(
    string ClientName,
    Guid ClientId,
    Guid DeviceId,
    long Waiting,
    long Bytes,
    DateTimeOffset? OldestAcceptedAt,
    long? NewestSequence,
    long? AcknowledgedThrough,
    DateTimeOffset LastSeenAt,
    bool IsConnected,
    Guid? SessionId,
    int? Credit);
