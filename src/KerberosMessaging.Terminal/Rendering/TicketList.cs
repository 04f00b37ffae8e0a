using System.Globalization;
using KerberosMessaging.Client;
using Spectre.Console;

namespace KerberosMessaging.Terminal.Rendering;

/// <summary>The ticket cache, for people and for programs.</summary>
internal sealed record TicketList(string Client, string ClientId, string Device, IReadOnlyList<TicketInfo> Tickets)
{
    // Enough of an identifier to tell a realm's servers apart; the whole would not fit beside three times.
    private const int ShortIdLength = 8;

    // What the columns below need; a narrower terminal wraps lines, which is better than a table that cuts times.
    private const int Width = 80;

    public void WriteTable(TextWriter output, TimeProvider time)
    {
        output.WriteLine($"Client: {SafeText.OfLine(Client)} ({ClientId})");
        output.WriteLine($"Device: {Device}");
        output.WriteLine();
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Detect,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(output),
        });
        console.Profile.Width = Width;
        var table = new Table { Border = TableBorder.None, ShowHeaders = true };
        foreach (var header in (string[])["Server", "Valid from", "Expires", "Renew until"])
        {
            table.AddColumn(new TableColumn(new Text(header, new Style(decoration: Decoration.Bold))).NoWrap().Padding(0, 0, 2, 0));
        }

        var now = time.GetUtcNow();
        foreach (var ticket in Tickets)
        {
            table.AddRow(
                new Text(ticket.Server is { } server ? $"message server {server.ToString()[..ShortIdLength]}" : ticket.ServerName),
                Local(ticket.StartsAt),
                ticket.EndsAt > now ? Local(ticket.EndsAt) : new Text("expired"),
                Local(ticket.RenewableUntil));
        }

        console.Write(table);

        Text Local(DateTimeOffset at) => new(
            TimeZoneInfo.ConvertTime(at, time.LocalTimeZone).ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture));
    }

    public void WriteTabSeparated(TextWriter output)
    {
        foreach (var ticket in Tickets)
        {
            output.WriteLine(string.Join(
                '\t',
                SafeText.OfLine(Client),
                ClientId,
                Device,
                SafeText.OfLine(ticket.ServerName),
                JsonLine.TimeOf(ticket.StartsAt),
                JsonLine.TimeOf(ticket.EndsAt),
                JsonLine.TimeOf(ticket.RenewableUntil)));
        }
    }

    public void WriteJson(TextWriter output) => JsonLine.Write(output, json =>
    {
        json.WriteString("client", Client);
        json.WriteString("clientId", ClientId);
        json.WriteString("device", Device);
        json.WriteStartArray("tickets");
        foreach (var ticket in Tickets)
        {
            json.WriteStartObject();
            json.WriteString("server", ticket.Server?.ToString());
            json.WriteString("serverName", ticket.ServerName);
            json.WriteString("validFrom", JsonLine.TimeOf(ticket.StartsAt));
            json.WriteString("expires", JsonLine.TimeOf(ticket.EndsAt));
            json.WriteString("renewUntil", JsonLine.TimeOf(ticket.RenewableUntil));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });
}
