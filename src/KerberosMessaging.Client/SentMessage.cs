using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client;

/// <summary>A message that the message server took: it is on disk in every mailbox of the recipient, or already read.</summary>
/// <param name="Id">The message id.</param>
/// <param name="AcceptedAt">When the server took it.</param>
/// <param name="Devices">To how many devices it went.</param>
public sealed record SentMessage(MessageId Id, DateTimeOffset AcceptedAt, int Devices);
