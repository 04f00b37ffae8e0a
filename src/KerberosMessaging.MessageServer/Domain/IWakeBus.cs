namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// Carries hints to the node that holds a device. They have no content and may be lost: the store is the truth, and a lost hint
/// costs time, never a message. Tests hold every implementation to the same contract.
/// </summary>
internal interface IWakeBus
{
    /// <summary>Sends a hint to every node, this one included. It neither waits nor fails.</summary>
    void Publish(WakeHint hint);

    /// <summary>Calls an action for each hint that arrives, until it is disposed of.</summary>
    /// <param name="onHint">Must neither throw nor wait. After <see cref="WakeKind.Gap"/> it looks for itself.</param>
    IDisposable Subscribe(Action<WakeHint> onHint);
}

/// <summary>What a hint is about.</summary>
internal enum WakeKind
{
    /// <summary>Hints may have been lost.</summary>
    Gap,

    /// <summary>Mail waits in the store for a device.</summary>
    MailWaits,

    /// <summary>A device's mail was claimed; whoever holds an earlier claim gives it up.</summary>
    TakenOver,
}

/// <summary>A hint.</summary>
/// <param name="Kind">What it is about.</param>
/// <param name="Device">The device; none for <see cref="WakeKind.Gap"/>.</param>
/// <param name="Epoch">The claim, for <see cref="WakeKind.TakenOver"/>.</param>
internal readonly record struct WakeHint(WakeKind Kind, DeviceAddress Device, long Epoch)
{
    public static WakeHint Gap => default;

    public static WakeHint MailWaits(DeviceAddress device) => new(WakeKind.MailWaits, device, 0);

    public static WakeHint TakenOver(DeviceAddress device, long epoch) => new(WakeKind.TakenOver, device, epoch);
}
