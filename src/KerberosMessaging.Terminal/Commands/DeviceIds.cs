using KerberosMessaging.Protocol;

namespace KerberosMessaging.Terminal.Commands;

/// <summary>Devices as people name them: by how their ids begin.</summary>
internal static class DeviceIds
{
    // Enough not to hit another device by a slip of the finger.
    public const int ShortestStart = 4;

    /// <param name="devices">The devices to choose from.</param>
    /// <param name="idOf">The id of one.</param>
    /// <param name="typed">As typed.</param>
    /// <param name="listing">The command that lists them.</param>
    public static T Find<T>(IEnumerable<T> devices, Func<T, DeviceId> idOf, string typed, string listing)
    {
        if (typed.Length < ShortestStart || !typed.All(char.IsAsciiHexDigit))
        {
            throw CommandException.Usage($"a device is named by the first {ShortestStart} hexadecimal digits of its id, or more", listing);
        }

        return devices.Where(device => idOf(device).ToString().StartsWith(typed, StringComparison.OrdinalIgnoreCase)).ToList() switch
        {
            [var only] => only,
            [] => throw new CommandException(ExitCode.Refused, $"there is no device {typed}", listing),
            _ => throw CommandException.Usage($"several devices begin with {typed}", "give more digits of the id"),
        };
    }
}
