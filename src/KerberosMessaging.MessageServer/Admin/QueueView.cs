namespace KerberosMessaging.MessageServer.Admin;

/// <summary>A device's mailbox.</summary>
/// <param name="ClientName" example="bob">The client's name, as its latest ticket said.</param>
/// <param name="ClientId" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client's id.</param>
/// <param name="DeviceId" example="c2f8d9a1-7b3e-4c56-b0a4-5e6d7f8091a2">The device's id.</param>
/// <param name="Waiting" example="3">How many messages wait to be acknowledged.</param>
/// <param name="Bytes" example="1536">How many bytes of envelopes wait.</param>
/// <param name="OldestAcceptedAt" example="2026-05-04T08:15:30Z">When the oldest of them was accepted; null when none waits.</param>
/// <param name="NewestSequence" example="128">The sequence number of the newest of them; null when none waits.</param>
/// <param name="LastSeenAt" example="2026-05-04T08:25:30Z">When the device last connected, to the minute.</param>
internal sealed record QueueView(
    string ClientName,
    Guid ClientId,
    Guid DeviceId,
    long Waiting,
    long Bytes,
    DateTimeOffset? OldestAcceptedAt,
    long? NewestSequence,
    DateTimeOffset LastSeenAt)
{
    public static QueueView Of(Domain.QueueState row) => new(
        row.ClientName,
        row.Device.Client.Value,
        row.Device.Device.Value,
        row.Waiting,
        row.Bytes,
        row.OldestAcceptedAt,
        row.NewestSequence,
        row.LastSeenAt);
}
