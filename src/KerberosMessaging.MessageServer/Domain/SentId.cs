using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>A message id that a device has used.</summary>
/// <param name="Message">The id.</param>
/// <param name="Digest">Tells a repeat from another message under the same id.</param>
/// <param name="AcceptedAt">When the message was accepted.</param>
internal readonly record struct SentId(MessageId Message, ulong Digest, DateTimeOffset AcceptedAt);
