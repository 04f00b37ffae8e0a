using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// Takes the oldest one-time prekey of each kind from devices of a client. What is taken is deleted by the transaction that
/// gives it out, so it is given out once. The result is the prekeys of those devices that have published a bundle; null when
/// no device of the client is known.
/// </summary>
/// <param name="requester">Who asks; nobody needs prekeys of its own.</param>
/// <param name="client">Whose prekeys.</param>
/// <param name="devices">Of which devices; one that is named twice counts once.</param>
internal sealed class TakePrekeysWrite(DeviceAddress requester, ClientId client, IReadOnlyList<DeviceId> devices)
    : StoreWrite<IReadOnlyList<DevicePrekeys>?>
{
    public DeviceAddress Requester => requester;

    public ClientId Client => client;

    public IReadOnlyList<DeviceId> Devices => devices;
}
