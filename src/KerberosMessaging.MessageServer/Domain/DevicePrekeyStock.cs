namespace KerberosMessaging.MessageServer.Domain;

/// <summary>What there is of a device's prekeys.</summary>
/// <param name="ClientName">The client's name, as its latest ticket said.</param>
/// <param name="Device">The device.</param>
/// <param name="HasBundle">Whether it has ever published a bundle.</param>
/// <param name="Stock">Its one-time prekeys.</param>
/// <param name="UploadedAt">When it last uploaded prekeys; null for never, or before the server noted it.</param>
internal sealed record DevicePrekeyStock(
    string ClientName, DeviceAddress Device, bool HasBundle, PrekeyStock Stock, DateTimeOffset? UploadedAt);
