using System.Text.Json;
using KerberosMessaging.Client;

namespace KerberosMessaging.Terminal.Rendering;

/// <summary>A contact with its safety number, for people and for programs.</summary>
internal static class ContactView
{
    private const int GroupSize = 5;
    private const string Indentation = "  ";

    public static void WriteText(TextWriter output, Contact contact)
    {
        output.WriteLine($"Safety number with {SafeText.OfLine(contact.Name)} ({ContactList.StateOf(contact)}):");
        output.WriteLine();
        output.WriteLine(Groups.Of(contact.SafetyNumber, GroupSize, perLine: 4, Indentation));
        output.WriteLine();
    }

    /// <summary>The devices that the contact's account key does not vouch for; nothing where there are none.</summary>
    public static void WriteUnlinked(TextWriter output, Contact contact, TimeProvider time)
    {
        var unlinked = UnlinkedOf(contact);
        if (unlinked.Count == 0)
        {
            return;
        }

        output.WriteLine("Devices that are not linked:");
        output.WriteLine();
        foreach (var device in unlinked)
        {
            output.WriteLine($"{Indentation}{DeviceList.ShortIdOf(device.Device)}  first seen {FirstSeenOf(device, time)}");
        }

        output.WriteLine();
    }

    public static IReadOnlyList<ContactDevice> UnlinkedOf(Contact contact) =>
        [.. contact.Devices.Where(static device => device.Standing == DeviceStanding.Unlinked)];

    public static string FirstSeenOf(ContactDevice device, TimeProvider time) => LocalTime.ToMinute(device.FirstSeenAt, time);

    public static void WriteMembers(Utf8JsonWriter json, Contact contact)
    {
        json.WriteString("name", contact.Name);
        json.WriteString("clientId", contact.Client.ToString());
        json.WriteString("safetyNumber", Groups.Of(contact.SafetyNumber, GroupSize));
        json.WriteString("state", ContactList.StateOf(contact));
        json.WriteStartArray("devices");
        foreach (var device in contact.Devices)
        {
            json.WriteStartObject();
            json.WriteString("device", device.Device.ToString());
            json.WriteString("standing", Standing.ToWord(device.Standing));
            json.WriteString("firstSeenAt", JsonLine.TimeOf(device.FirstSeenAt));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
