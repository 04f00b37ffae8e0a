using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>What one device of the recipient is to get.</summary>
internal readonly record struct SubmittedEnvelope(DeviceId Device, byte[] Body);
