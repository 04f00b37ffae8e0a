using KerberosMessaging.MessageServer.Domain;

namespace KerberosMessaging.MessageServer.Admin;

/// <summary>What there is of a device's prekeys.</summary>
/// <param name="ClientName" example="bob">The client's name, as its latest ticket said.</param>
/// <param name="ClientId" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client's id.</param>
/// <param name="DeviceId" example="c2f8d9a1-7b3e-4c56-b0a4-5e6d7f8091a2">The device's id.</param>
/// <param name="HasBundle" example="true">Whether the device has ever published prekeys; nobody can write to one that has not.</param>
/// <param name="X25519" example="87">How many one-time X25519 prekeys are left.</param>
/// <param name="X25519Misses" example="0">How often somebody asked for one when none was left.</param>
/// <param name="MlKem768" example="87">How many one-time ML-KEM-768 prekeys are left.</param>
/// <param name="MlKem768Misses" example="0">How often somebody asked for one when none was left.</param>
/// <param name="IsLow" example="false">Whether so few of a kind are left that the device is told to upload more.</param>
/// <param name="UploadedAt" example="2026-05-04T08:15:30Z">When it last uploaded prekeys; null for never, or before this server noted it.</param>
internal sealed record PrekeyStockView(
    string ClientName,
    Guid ClientId,
    Guid DeviceId,
    bool HasBundle,
    int X25519,
    ulong X25519Misses,
    int MlKem768,
    ulong MlKem768Misses,
    bool IsLow,
    DateTimeOffset? UploadedAt)
{
    public static PrekeyStockView Of(DevicePrekeyStock row) => new(
        row.ClientName,
        row.Device.Client.Value,
        row.Device.Device.Value,
        row.HasBundle,
        row.Stock.X25519.Left,
        row.Stock.X25519.Misses,
        row.Stock.MlKem768.Left,
        row.Stock.MlKem768.Misses,
        row.Stock.IsLow,
        row.UploadedAt);
}
