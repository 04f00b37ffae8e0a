using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client.Store;

/// <summary>This device's id, identity and prekeys: made once, kept sealed in the store.</summary>
internal static class DeviceKeys
{
    private const string DeviceSetting = "device";
    private const string IdentitySetting = "identity";
    private const string PrekeysSetting = "prekeys";

    /// <summary>Makes what is missing. The device's id is made with its keys, before the realm hears of either.</summary>
    public static void Ensure(StoreTransaction transaction)
    {
        using var existing = transaction.GetSetting(DeviceSetting);
        if (existing is not null)
        {
            return;
        }

        using var identity = DeviceIdentity.Generate();
        using var prekeys = DevicePrekeys.Generate(identity);
        using var exportedIdentity = identity.Export();
        using var exportedPrekeys = prekeys.Export();
        transaction.SetSetting(DeviceSetting, Protocol.DeviceId.New().Value.ToByteArray(bigEndian: true));
        transaction.SetSetting(IdentitySetting, exportedIdentity.Span);
        transaction.SetSetting(PrekeysSetting, exportedPrekeys.Span);
    }

    public static DeviceId Device(StoreTransaction transaction)
    {
        using var stored = transaction.GetSetting(DeviceSetting) ?? throw Missing();
        return new DeviceId(new Guid(stored.Span, bigEndian: true));
    }

    public static DeviceIdentity Identity(StoreTransaction transaction)
    {
        using var stored = transaction.GetSetting(IdentitySetting) ?? throw Missing();
        return DeviceIdentity.Import(stored.Span);
    }

    public static DevicePrekeys Prekeys(StoreTransaction transaction)
    {
        using var stored = transaction.GetSetting(PrekeysSetting) ?? throw Missing();
        return DevicePrekeys.Import(stored.Span);
    }

    public static void SavePrekeys(StoreTransaction transaction, DevicePrekeys prekeys)
    {
        using var exported = prekeys.Export();
        transaction.SetSetting(PrekeysSetting, exported.Span);
    }

    private static IOException Missing() => new("it holds no device keys; log in first");
}
