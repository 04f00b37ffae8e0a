using System.Text.RegularExpressions;
using KerberosMessaging.Client;
using KerberosMessaging.Protocol;
using KerberosMessaging.Terminal.Rendering;

namespace KerberosMessaging.Terminal.Tests.Rendering;

public sealed partial class ContactListTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

    private static readonly ContactList List = new(
    [
        Contact("bob", ContactVerification.Verified, DeviceStanding.Linked, DeviceStanding.Linked),
        Contact("ca\trol\e[2J", ContactVerification.Changed, DeviceStanding.Linked, DeviceStanding.Accepted, DeviceStanding.Unlinked),
        Contact("dave", ContactVerification.Unverified),
    ]);

    [Fact]
    public void People_see_a_table()
    {
        var output = new StringWriter();

        List.WriteTable(output);

        Assert.Equal(
            [
                "Name        State       Devices",
                "bob         verified    2 linked",
                "ca␉rol␛[2J  changed     1 linked, 1 accepted, 1 not linked",
                "dave        unverified  0 linked",
            ],
            Colour().Replace(output.ToString(), "").ReplaceLineEndings("\n").TrimEnd().Split('\n').Select(static line => line.TrimEnd()));
    }

    [Fact]
    public void Programs_get_rows_separated_by_tabs()
    {
        var output = new StringWriter();

        List.WriteTabSeparated(output);

        Assert.Equal(
            "bob\tverified\t2\t0\t0\nca␉rol␛[2J\tchanged\t1\t1\t1\ndave\tunverified\t0\t0\t0\n",
            output.ToString().ReplaceLineEndings("\n"));
    }

    [Fact]
    public void Json_is_one_line()
    {
        var output = new StringWriter();

        new ContactList([Contact("bob", ContactVerification.Unverified, DeviceStanding.Unlinked)]).WriteJson(output);

        Assert.Equal(
            """
            {"contacts":[{"name":"bob","clientId":"00000000000000000000000000000001","safetyNumber":"01234 56789 01234 56789 01234 56789 01234 56789 01234 56789 01234 56789","state":"unverified","devices":[{"device":"00000000000000000000000000000002","standing":"unlinked","firstSeenAt":"2026-11-23T10:00:00.000Z"}]}]}
            """,
            output.ToString().TrimEnd());
    }

    private static Contact Contact(string name, ContactVerification verification, params DeviceStanding[] devices) => new(
        name,
        new ClientId(Guid.Parse("00000000000000000000000000000001")),
        string.Concat(Enumerable.Repeat("0123456789", 6)),
        verification,
        [.. devices.Select(static standing => new ContactDevice(new DeviceId(Guid.Parse("00000000000000000000000000000002")), standing, At))]);

    // Whether there are any depends on the terminal that the tests run in.
    [GeneratedRegex(@"\e\[[0-9;]*m")]
    private static partial Regex Colour();
}
