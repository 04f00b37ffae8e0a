namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// Which node of the realm each device's mail flows to. One node holds a device at a time: the one whose claim has the highest
/// epoch. Tests hold every implementation to the same contract.
/// </summary>
internal interface IPresence
{
    /// <summary>Claims a device's mail for this node.</summary>
    /// <returns>The claim's epoch: 1 or more, and higher than that of every claim of the device before.</returns>
    ValueTask<long> ClaimAsync(DeviceAddress device);

    /// <summary>Gives a claim back. It does nothing when the device was claimed again since.</summary>
    /// <param name="device">The device.</param>
    /// <param name="epoch">The claim's epoch.</param>
    void Release(DeviceAddress device, long epoch);

    /// <summary>The epoch of the claim that is in force; 0 when nobody holds the device.</summary>
    ValueTask<long> FindAsync(DeviceAddress device);
}
