using Spectre.Console;

namespace KerberosMessaging.Terminal.Rendering;

/// <summary>Tables without lines, in the terminal's colours.</summary>
internal static class Tables
{
    public static Table Create(params string[] headers)
    {
        var table = new Table { Border = TableBorder.None, ShowHeaders = true };
        foreach (var header in headers)
        {
            table.AddColumn(new TableColumn(new Text(header, new Style(decoration: Decoration.Bold))).NoWrap().Padding(0, 0, 2, 0));
        }

        return table;
    }

    /// <summary>A console as wide as it takes: a narrower terminal wraps lines, which is better than cutting what is in them.</summary>
    public static IAnsiConsole ConsoleOn(TextWriter output, int width)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Detect,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(output),
        });
        console.Profile.Width = width;
        return console;
    }
}
