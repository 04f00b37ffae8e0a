using KerberosMessaging.Client;

namespace KerberosMessaging.Terminal.Rendering;

/// <summary>What a device counts as, in words.</summary>
internal static class Standing
{
    /// <summary>One word, for programs.</summary>
    public static string ToWord(DeviceStanding standing) => standing switch
    {
        DeviceStanding.Linked => "linked",
        DeviceStanding.Accepted => "accepted",
        _ => "unlinked",
    };

    /// <summary>For people.</summary>
    public static string ToText(DeviceStanding standing) => standing == DeviceStanding.Unlinked ? "not linked" : ToWord(standing);
}
