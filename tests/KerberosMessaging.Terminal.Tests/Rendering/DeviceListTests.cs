using System.Text.RegularExpressions;
using KerberosMessaging.Client;
using KerberosMessaging.Protocol;
using KerberosMessaging.Terminal.Rendering;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.Terminal.Tests.Rendering;

public sealed partial class DeviceListTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

    private static readonly DeviceList List = new(
    [
        new DeviceInfo(new DeviceId(Guid.Parse("0123456789abcdef0123456789abcdef")), "laptop", At, At.AddHours(1), true, DeviceStanding.Linked),
        new DeviceInfo(new DeviceId(Guid.Parse("fedcba98765432100123456789abcdef")), "a\tb\e[2J", At.AddDays(1), At.AddDays(2), false, DeviceStanding.Unlinked),
    ]);

    [Fact]
    public void People_see_a_table()
    {
        var output = new StringWriter();

        List.WriteTable(output, new FakeTimeProvider(At));

        Assert.Equal(
            [
                "Device    Name     Added             Last seen         Linked",
                "01234567  laptop   2026-11-23 10:00  2026-11-23 11:00  linked      this device",
                "fedcba98  a␉b␛[2J  2026-11-24 10:00  2026-11-25 10:00  not linked",
            ],
            Colour().Replace(output.ToString(), "").ReplaceLineEndings("\n").TrimEnd().Split('\n').Select(static line => line.TrimEnd()));
    }

    [Fact]
    public void A_long_name_is_not_cut()
    {
        var output = new StringWriter();
        var name = new string('x', 64);

        new DeviceList([List.Devices[0] with { Name = name }]).WriteTable(output, new FakeTimeProvider(At));

        Assert.Contains($"{name}  2026-11-23 10:00  2026-11-23 11:00  linked  this device", Colour().Replace(output.ToString(), ""), StringComparison.Ordinal);
    }

    [Fact]
    public void Programs_get_whole_rows_separated_by_tabs()
    {
        var output = new StringWriter();

        List.WriteTabSeparated(output);

        Assert.Equal(
            "0123456789abcdef0123456789abcdef\tlaptop\t2026-11-23T10:00:00.000Z\t2026-11-23T11:00:00.000Z\tthis\tlinked\n"
            + "fedcba98765432100123456789abcdef\ta␉b␛[2J\t2026-11-24T10:00:00.000Z\t2026-11-25T10:00:00.000Z\tother\tunlinked\n",
            output.ToString().ReplaceLineEndings("\n"));
    }

    [Fact]
    public void Json_is_one_line()
    {
        var output = new StringWriter();

        new DeviceList([List.Devices[0]]).WriteJson(output);

        Assert.Equal(
            """
            {"devices":[{"device":"0123456789abcdef0123456789abcdef","name":"laptop","addedAt":"2026-11-23T10:00:00.000Z","lastSeenAt":"2026-11-23T11:00:00.000Z","isThisDevice":true,"standing":"linked"}]}
            """,
            output.ToString().TrimEnd());
    }

    // Whether there are any depends on the terminal that the tests run in.
    [GeneratedRegex(@"\e\[[0-9;]*m")]
    private static partial Regex Colour();
}
