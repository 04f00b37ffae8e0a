using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>A device and the prekey bundle that it published, opaque to the server.</summary>
internal readonly record struct DevicePrekeys(DeviceId Device, byte[] Bundle);
