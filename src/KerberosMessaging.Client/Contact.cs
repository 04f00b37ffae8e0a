using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client;

/// <summary>Whether two people compared their safety number.</summary>
public enum ContactVerification
{
    /// <summary>They did not; the identity is the one seen first.</summary>
    Unverified,

    /// <summary>They did, and it is still the same.</summary>
    Verified,

    /// <summary>The contact's account key is another one now: sending is refused until the new identity is accepted or compared.</summary>
    Changed,
}

/// <summary>A peer and the safety number shared with it.</summary>
/// <param name="Name">Its name as registered.</param>
/// <param name="Client">Its id.</param>
/// <param name="SafetyNumber">60 digits, the same on both sides; where the identity changed, those of the new one.</param>
/// <param name="Verification">Whether the two compared it.</param>
/// <param name="Devices">Its devices that are not removed, as last looked up.</param>
public sealed record Contact(
    string Name, ClientId Client, string SafetyNumber, ContactVerification Verification, IReadOnlyList<ContactDevice> Devices)
{
    /// <summary>The account key that the safety number is of.</summary>
    internal byte[] AccountKey { get; init; } = [];
}

/// <summary>A device of a contact.</summary>
/// <param name="Device">Its id.</param>
/// <param name="Standing">Whether messages go to it and are taken from it.</param>
/// <param name="FirstSeenAt">When this device first heard of it.</param>
public sealed record ContactDevice(DeviceId Device, DeviceStanding Standing, DateTimeOffset FirstSeenAt);
