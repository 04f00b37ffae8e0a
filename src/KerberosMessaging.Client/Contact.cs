using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client;

/// <summary>Whether two people compared their safety number.</summary>
public enum ContactVerification
{
    /// <summary>They did not.</summary>
    Unverified,

    /// <summary>They did, and it is still the same.</summary>
    Verified,

    /// <summary>They did, and it is another one now: sending is refused until they compare anew.</summary>
    Changed,
}

/// <summary>A peer and the safety number shared with it.</summary>
/// <param name="Name">Its name as registered.</param>
/// <param name="Client">Its id.</param>
/// <param name="SafetyNumber">60 digits, the same on both sides.</param>
/// <param name="Verification">Whether the two compared it.</param>
public sealed record Contact(string Name, ClientId Client, string SafetyNumber, ContactVerification Verification);
