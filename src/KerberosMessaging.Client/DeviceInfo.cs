using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client;

/// <summary>One of the client's own devices, as the realm knows it.</summary>
/// <param name="Device">Its id.</param>
/// <param name="Name">What it is called, for people.</param>
/// <param name="AddedAt">When it first logged in.</param>
/// <param name="LastSeenAt">When the realm last heard of it.</param>
/// <param name="IsThisDevice">Whether it is the device that asks.</param>
/// <param name="Standing">Whether contacts take it for the client's, as far as this device can tell.</param>
public sealed record DeviceInfo(
    DeviceId Device, string Name, DateTimeOffset AddedAt, DateTimeOffset LastSeenAt, bool IsThisDevice, DeviceStanding Standing);
