using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>Prekeys of a device, as somebody gets them.</summary>
/// <param name="Device">The device.</param>
/// <param name="Bundle">The bundle that it published, opaque to the server.</param>
/// <param name="OneTimePrekeys">At most one of each kind, which nobody else gets.</param>
/// <param name="Stock">What is left for others.</param>
internal sealed record DevicePrekeys(
    DeviceId Device,
    byte[] Bundle,
    IReadOnlyList<OneTimePrekey> OneTimePrekeys,
    PrekeyStock Stock);
