namespace KerberosMessaging.Client;

/// <summary>Why a device is taken for its client's, or why not.</summary>
public enum DeviceStanding
{
    /// <summary>The client's account key does not vouch for it, and nobody accepted it: a server may have added it.</summary>
    Unlinked,

    /// <summary>The client's account key, as it is pinned, vouches for it.</summary>
    Linked,

    /// <summary>The user of this device accepted it by hand.</summary>
    Accepted,
}
