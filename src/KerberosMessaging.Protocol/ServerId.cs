namespace KerberosMessaging.Protocol;

/// <summary>Names a message server, or the realm's auth server. 16 bytes on the wire.</summary>
/// <param name="Value">The identifier; its bytes go on the wire in the order its hexadecimal form shows.</param>
public readonly record struct ServerId(Guid Value)
{
    /// <summary>A fresh random identifier.</summary>
    public static ServerId New() => new(Guid.NewGuid());

    /// <summary>Whether every byte is zero, which no assigned identifier is.</summary>
    public bool IsZero => Value == Guid.Empty;

    /// <summary>The 32 hexadecimal digits.</summary>
    public override string ToString() => Value.ToString("N");
}
