namespace KerberosMessaging.Protocol;

/// <summary>Names one device of a client, chosen at random by the device itself. 16 bytes on the wire.</summary>
/// <param name="Value">The identifier; its bytes go on the wire in the order its hexadecimal form shows.</param>
public readonly record struct DeviceId(Guid Value)
{
    /// <summary>A fresh random identifier.</summary>
    public static DeviceId New() => new(Guid.NewGuid());

    /// <summary>Whether every byte is zero, which no assigned identifier is.</summary>
    public bool IsZero => Value == Guid.Empty;

    /// <summary>The 32 hexadecimal digits.</summary>
    public override string ToString() => Value.ToString("N");
}
