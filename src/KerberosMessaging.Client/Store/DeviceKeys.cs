using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client.Store;

/// <summary>This device's id, identity and prekeys: made once, kept sealed in the store.</summary>
internal static class DeviceKeys
{
    /// <summary>The name of the setting that holds the device's id.</summary>
    public const string DeviceSetting = "device";

    /// <summary>The name of the setting that holds the device's identity.</summary>
    public const string IdentitySetting = "identity";

    /// <summary>Set in a store that was put back to an earlier state, until the server has new prekeys of this device.</summary>
    public const string RestoredSetting = "restored";

    /// <summary>The name of the setting that holds the prekeys.</summary>
    public const string PrekeysSetting = "prekeys";

    public static bool Exist(StoreTransaction transaction)
    {
        using var device = transaction.GetSetting(DeviceSetting);
        return device is not null;
    }

    /// <summary>
    /// Makes what is missing. The device's id is made with its keys, before the realm hears of either. Prekeys alone can be missing
    /// too: they are in no backup, and are dropped when their format changes.
    /// </summary>
    public static void Ensure(StoreTransaction transaction, DateTimeOffset now)
    {
        using var existing = transaction.GetSetting(DeviceSetting);
        if (existing is null)
        {
            using var made = DeviceIdentity.Generate();
            using var exported = made.Export();
            transaction.SetSetting(DeviceSetting, DeviceId.New().Value.ToByteArray(bigEndian: true));
            transaction.SetSetting(IdentitySetting, exported.Span);
        }

        using var existingPrekeys = transaction.GetSetting(PrekeysSetting);
        if (existing is null || existingPrekeys is null)
        {
            using var identity = Identity(transaction);
            using var prekeys = DevicePrekeys.Generate(identity, now);
            using var exported = prekeys.Export();
            transaction.SetSetting(PrekeysSetting, exported.Span);
        }
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
