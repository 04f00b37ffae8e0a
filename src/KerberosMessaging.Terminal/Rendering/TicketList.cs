using KerberosMessaging.Client;
using Spectre.Console;

namespace KerberosMessaging.Terminal.Rendering;

/// <summary>The ticket cache, for people and for programs.</summary>
internal sealed record TicketList(string Client, string ClientId, string Device, IReadOnlyList<TicketInfo> Tickets)
{
    // Enough of an identifier to tell a realm's servers apart; the whole would not fit beside three times.
    private const int ShortIdLength = 8;

    // What the columns below need.
    private const int Width = 80;

    public void WriteTable(TextWriter output, TimeProvider time)
    {
        output.WriteLine($"Client: {SafeText.OfLine(Client)} ({ClientId})");
        output.WriteLine($"Device: {Device}");
        output.WriteLine();
        var table = Tables.Create("Server", "Valid from", "Expires", "Renew until");
        var now = time.GetUtcNow();
        foreach (var ticket in Tickets)
        {
            table.AddRow(
                new Text(ticket.Server is { } server ? $"message server {server.ToString()[..ShortIdLength]}" : ticket.ServerName),
                Local(ticket.StartsAt),
                ticket.EndsAt > now ? Local(ticket.EndsAt) : new Text("expired"),
                Local(ticket.RenewableUntil));
        }

        Tables.ConsoleOn(output, Width).Write(table);

        Text Local(DateTimeOffset at) => new(LocalTime.ToMinute(at, time));
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
