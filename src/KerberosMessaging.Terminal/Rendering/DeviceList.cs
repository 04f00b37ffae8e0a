using KerberosMessaging.Client;
using KerberosMessaging.Protocol;
using Spectre.Console;

namespace KerberosMessaging.Terminal.Rendering;

/// <summary>An account's devices, for people and for programs.</summary>
internal sealed record DeviceList(IReadOnlyList<DeviceInfo> Devices)
{
    // Enough of an identifier to tell a person's devices apart, and to name one in a command.
    private const int ShortIdLength = 8;

    // What the columns beside the name need.
    private const int OtherColumns = 76;

    public static string ShortIdOf(DeviceInfo device) => ShortIdOf(device.Device);

    public static string ShortIdOf(DeviceId device) => device.ToString()[..ShortIdLength];

    public static string Describe(DeviceInfo device) =>
        $"device {ShortIdOf(device)}{(device.Name.Length > 0 ? $" ({SafeText.OfLine(device.Name)})" : "")}";

    public void WriteTable(TextWriter output, TimeProvider time)
    {
        var table = Tables.Create("Device", "Name", "Added", "Last seen", "Linked", "");
        foreach (var device in Devices)
        {
            table.AddRow(
                new Text(ShortIdOf(device)),
                new Text(SafeText.OfLine(device.Name)),
                Local(device.AddedAt),
                Local(device.LastSeenAt),
                new Text(Standing.ToText(device.Standing)),
                new Text(device.IsThisDevice ? "this device" : ""));
        }

        var width = OtherColumns + Devices.Select(static device => SafeText.OfLine(device.Name).Length).DefaultIfEmpty().Max();
        Tables.ConsoleOn(output, width).Write(table);

        Text Local(DateTimeOffset at) => new(LocalTime.ToMinute(at, time));
    }

    public void WriteTabSeparated(TextWriter output)
    {
        foreach (var device in Devices)
        {
            output.WriteLine(string.Join(
                '\t',
                device.Device.ToString(),
                SafeText.OfLine(device.Name),
                JsonLine.TimeOf(device.AddedAt),
                JsonLine.TimeOf(device.LastSeenAt),
                device.IsThisDevice ? "this" : "other",
                Standing.ToWord(device.Standing)));
        }
    }

    public void WriteJson(TextWriter output) => JsonLine.Write(output, json =>
    {
        json.WriteStartArray("devices");
        foreach (var device in Devices)
        {
            json.WriteStartObject();
            json.WriteString("device", device.Device.ToString());
            json.WriteString("name", device.Name);
            json.WriteString("addedAt", JsonLine.TimeOf(device.AddedAt));
            json.WriteString("lastSeenAt", JsonLine.TimeOf(device.LastSeenAt));
            json.WriteBoolean("isThisDevice", device.IsThisDevice);
            json.WriteString("standing", Standing.ToWord(device.Standing));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });
}
