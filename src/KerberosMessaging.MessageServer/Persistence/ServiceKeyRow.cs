namespace KerberosMessaging.MessageServer.Persistence;

/// <summary>One version of this server's service key.</summary>
internal sealed class ServiceKeyRow
{
    public uint Version { get; set; }

    /// <summary>The key, sealed with Data Protection.</summary>
    public byte[] SealedKey { get; set; } = [];
}
