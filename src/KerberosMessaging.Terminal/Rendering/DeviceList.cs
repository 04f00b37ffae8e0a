using System.Globalization;
using KerberosMessaging.Client;
using Spectre.Console;

namespace KerberosMessaging.Terminal.Rendering;

/// <summary>An account's devices, for people and for programs.</summary>
internal sealed record DeviceList(IReadOnlyList<DeviceInfo> Devices)
{
    // Enough of an identifier to tell a person's devices apart, and to name one in a command.
    private const int ShortIdLength = 8;

    // What the columns beside the name need.
    private const int OtherColumns = 64;

    public static string ShortIdOf(DeviceInfo device) => device.Device.ToString()[..ShortIdLength];

    public void WriteTable(TextWriter output, TimeProvider time)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Detect,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(output),
        });

        // As wide as it takes; a narrower terminal wraps lines, which is better than a table that cuts them.
        console.Profile.Width = OtherColumns + Devices.Select(static device => SafeText.OfLine(device.Name).Length).DefaultIfEmpty().Max();
        var table = new Table { Border = TableBorder.None, ShowHeaders = true };
        foreach (var header in (string[])["Device", "Name", "Added", "Last seen", ""])
        {
            table.AddColumn(new TableColumn(new Text(header, new Style(decoration: Decoration.Bold))).NoWrap().Padding(0, 0, 2, 0));
        }

        foreach (var device in Devices)
        {
            table.AddRow(
                new Text(ShortIdOf(device)),
                new Text(SafeText.OfLine(device.Name)),
                Local(device.AddedAt),
                Local(device.LastSeenAt),
                new Text(device.IsThisDevice ? "this device" : ""));
        }

        console.Write(table);

        Text Local(DateTimeOffset at) => new(
            TimeZoneInfo.ConvertTime(at, time.LocalTimeZone).ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture));
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
                device.IsThisDevice ? "this" : "other"));
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
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });
}
