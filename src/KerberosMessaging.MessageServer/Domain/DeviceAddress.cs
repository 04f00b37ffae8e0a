using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>A client's device: what owns a mailbox.</summary>
internal readonly record struct DeviceAddress(ClientId Client, DeviceId Device);
