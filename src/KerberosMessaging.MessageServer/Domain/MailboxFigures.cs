using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>A mailbox in memory, as it is now.</summary>
/// <param name="Count">How many envelopes count against its limit, on disk and in memory.</param>
/// <param name="Bytes">How long they are together.</param>
/// <param name="OldestUnsettledAt">When the first envelope that is in memory alone was accepted; null when there is none.</param>
/// <param name="OldestUnsettled">Its number; 0 when there is none.</param>
/// <param name="NewestUnsettled">The number of the last envelope that is in memory alone; 0 when there is none.</param>
/// <param name="IsConnected">Whether its device is connected.</param>
/// <param name="Receiver">The connection that it flows down.</param>
/// <param name="Credit">How many more messages that connection takes.</param>
internal readonly record struct MailboxFigures(
    int Count,
    long Bytes,
    DateTimeOffset? OldestUnsettledAt,
    long OldestUnsettled,
    long NewestUnsettled,
    bool IsConnected,
    SessionId? Receiver,
    int? Credit);
