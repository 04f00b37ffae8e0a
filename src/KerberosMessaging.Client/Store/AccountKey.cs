using KerberosMessaging.Cryptography;

namespace KerberosMessaging.Client.Store;

/// <summary>The private account key, which the client's linked devices share, and the link that it made for this device.</summary>
internal static class AccountKey
{
    public const string Setting = "account key";

    private const string LinkSetting = "device link";

    /// <summary>The key; null in a device that is not linked.</summary>
    public static Ed25519PrivateKey? Load(StoreTransaction transaction)
    {
        using var seed = transaction.GetSetting(Setting);
        return seed is null ? null : Ed25519PrivateKey.FromSeed(seed.Span);
    }

    public static void Save(StoreTransaction transaction, ReadOnlySpan<byte> seed) => transaction.SetSetting(Setting, seed);

    /// <summary>This device's link; empty where the realm is not known to have one.</summary>
    public static byte[] LoadLink(StoreTransaction transaction)
    {
        using var link = transaction.GetSetting(LinkSetting);
        return link is null ? [] : link.Span.ToArray();
    }

    public static void SaveLink(StoreTransaction transaction, byte[] link) => transaction.SetSetting(LinkSetting, link);
}
