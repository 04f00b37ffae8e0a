using KerberosMessaging.Client;
using Spectre.Console;

namespace KerberosMessaging.Terminal.Rendering;

/// <summary>The contacts, for people and for programs.</summary>
internal sealed record ContactList(IReadOnlyList<Contact> Contacts)
{
    // What the columns beside the name need.
    private const int OtherColumns = 64;

    public static string StateOf(Contact contact) => contact.Verification switch
    {
        ContactVerification.Verified => "verified",
        ContactVerification.Changed => "changed",
        _ => "unverified",
    };

    public void WriteTable(TextWriter output)
    {
        var table = Tables.Create("Name", "State", "Devices");
        foreach (var contact in Contacts)
        {
            table.AddRow(new Text(SafeText.OfLine(contact.Name)), new Text(StateOf(contact)), new Text(DevicesOf(contact)));
        }

        var width = OtherColumns + Contacts.Select(static contact => SafeText.OfLine(contact.Name).Length).DefaultIfEmpty().Max();
        Tables.ConsoleOn(output, width).Write(table);
    }

    public void WriteTabSeparated(TextWriter output)
    {
        foreach (var contact in Contacts)
        {
            output.WriteLine(string.Join(
                '\t',
                SafeText.OfLine(contact.Name),
                StateOf(contact),
                Count(contact, DeviceStanding.Linked),
                Count(contact, DeviceStanding.Accepted),
                Count(contact, DeviceStanding.Unlinked)));
        }
    }

    public void WriteJson(TextWriter output) => JsonLine.Write(output, json =>
    {
        json.WriteStartArray("contacts");
        foreach (var contact in Contacts)
        {
            json.WriteStartObject();
            ContactView.WriteMembers(json, contact);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    private static string DevicesOf(Contact contact)
    {
        string[] parts =
        [
            $"{Count(contact, DeviceStanding.Linked)} linked",
            .. Some(DeviceStanding.Accepted, "accepted"),
            .. Some(DeviceStanding.Unlinked, "not linked"),
        ];
        return string.Join(", ", parts);

        IEnumerable<string> Some(DeviceStanding standing, string word) =>
            Count(contact, standing) is > 0 and var count ? [$"{count} {word}"] : [];
    }

    private static int Count(Contact contact, DeviceStanding standing) => contact.Devices.Count(device => device.Standing == standing);
}
