namespace KerberosMessaging.Client;

/// <summary>What happens with devices of contacts that their account key does not vouch for: devices that a server may have added.</summary>
public enum UnlinkedDevicePolicy
{
    /// <summary>Nothing is encrypted to them, and what they write is not shown, until the user accepts them or they are linked.</summary>
    Refuse,

    /// <summary>They count like linked ones, as the realm lists them: its word is all there is.</summary>
    Accept,
}
