using System.Globalization;

namespace KerberosMessaging.Terminal.Rendering;

/// <summary>Times in the user's time zone, always of one form.</summary>
internal static class LocalTime
{
    public static string ToMinute(DateTimeOffset at, TimeProvider time) => Format(at, time, "yyyy-MM-dd HH:mm");

    public static string ToSecond(DateTimeOffset at, TimeProvider time) => Format(at, time, "yyyy-MM-dd HH:mm:ss");

    private static string Format(DateTimeOffset at, TimeProvider time, string format) =>
        TimeZoneInfo.ConvertTime(at, time.LocalTimeZone).ToString(format, CultureInfo.InvariantCulture);
}
