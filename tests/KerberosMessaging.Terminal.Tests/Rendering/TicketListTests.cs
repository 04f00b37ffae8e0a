using System.Text.RegularExpressions;
using KerberosMessaging.Client;
using KerberosMessaging.Protocol;
using KerberosMessaging.Terminal.Rendering;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.Terminal.Tests.Rendering;

public sealed partial class TicketListTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

    private static readonly ServerId Server = new(Guid.Parse("0123456789abcdef0123456789abcdef"));

    private static readonly TicketList List = new(
        "alice",
        "00000000000000000000000000000001",
        "00000000000000000000000000000002",
        [
            new TicketInfo(null, "ticket-granting ticket", At, At.AddHours(10), At.AddDays(7)),
            new TicketInfo(Server, $"message server {Server}", At, At.AddMinutes(10), At.AddMinutes(10)),
        ]);

    [Fact]
    public void People_see_a_table_that_fits_eighty_columns()
    {
        var output = new StringWriter();

        List.WriteTable(output, new FakeTimeProvider(At.AddHours(1)));

        Assert.Equal(
            [
                "Client: alice (00000000000000000000000000000001)",
                "Device: 00000000000000000000000000000002",
                "",
                "Server                   Valid from        Expires           Renew until",
                "ticket-granting ticket   2026-11-23 10:00  2026-11-23 20:00  2026-11-30 10:00",
                "message server 01234567  2026-11-23 10:00  expired           2026-11-23 10:10",
            ],
            Colour().Replace(output.ToString(), "").ReplaceLineEndings("\n").TrimEnd().Split('\n').Select(line => line.TrimEnd()));
    }

    [Fact]
    public void Programs_get_whole_rows_separated_by_tabs()
    {
        var output = new StringWriter();

        List.WriteTabSeparated(output);

        Assert.Equal(
            "alice\t00000000000000000000000000000001\t00000000000000000000000000000002\tticket-granting ticket"
            + "\t2026-11-23T10:00:00.000Z\t2026-11-23T20:00:00.000Z\t2026-11-30T10:00:00.000Z\n"
            + "alice\t00000000000000000000000000000001\t00000000000000000000000000000002\tmessage server 0123456789abcdef0123456789abcdef"
            + "\t2026-11-23T10:00:00.000Z\t2026-11-23T10:10:00.000Z\t2026-11-23T10:10:00.000Z\n",
            output.ToString().ReplaceLineEndings("\n"));
    }

    [Fact]
    public void Json_is_one_line()
    {
        var output = new StringWriter();

        List.WriteJson(output);

        Assert.Equal(
            """
            {"client":"alice","clientId":"00000000000000000000000000000001","device":"00000000000000000000000000000002","tickets":[{"server":null,"serverName":"ticket-granting ticket","validFrom":"2026-11-23T10:00:00.000Z","expires":"2026-11-23T20:00:00.000Z","renewUntil":"2026-11-30T10:00:00.000Z"},{"server":"0123456789abcdef0123456789abcdef","serverName":"message server 0123456789abcdef0123456789abcdef","validFrom":"2026-11-23T10:00:00.000Z","expires":"2026-11-23T10:10:00.000Z","renewUntil":"2026-11-23T10:10:00.000Z"}]}
            """,
            output.ToString().TrimEnd());
    }

    // Whether there are any depends on the terminal that the tests run in.
    [GeneratedRegex(@"\e\[[0-9;]*m")]
    private static partial Regex Colour();
}
