namespace KerberosMessaging.AuthServer.Domain.Transparency;

/// <summary>What the realm said of a device. The numbers are stored and hashed.</summary>
internal enum TransparencyKind
{
    /// <summary>It certified the device.</summary>
    Certified = 1,

    /// <summary>It took a link of the device to its client's account key.</summary>
    Linked = 2,

    /// <summary>It removed the device.</summary>
    Removed = 3,
}
