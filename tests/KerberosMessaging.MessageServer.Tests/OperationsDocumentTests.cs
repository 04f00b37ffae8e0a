using System.Globalization;
using KerberosMessaging.MessageServer.Domain;

namespace KerberosMessaging.MessageServer.Tests;

/// <summary>What docs/operations.md says of the options of the message server's domain is what the code does.</summary>
public sealed class OperationsDocumentTests
{
    private static readonly (string Section, object Defaults)[] Sections =
    [
        (MailboxOptions.SectionName, new MailboxOptions()),
        (PrekeyOptions.SectionName, new PrekeyOptions()),
    ];

    [Fact]
    public void The_options_and_their_defaults_are_those_of_the_tables() => Assert.Equal(
        Sections
            .SelectMany(static section => section.Defaults.GetType().GetProperties().Select(property => (
                $"`{section.Section}:{property.Name}`",
                Convert.ToString(property.GetValue(section.Defaults), CultureInfo.InvariantCulture)!)))
            .Order(),
        Rows().Where(static row => Sections.Any(section => row.Option.StartsWith($"`{section.Section}:", StringComparison.Ordinal))).Order());

    private static IEnumerable<(string Option, string Default)> Rows() =>
        from line in File.ReadLines(Document())
        where line.StartsWith("| `", StringComparison.Ordinal)
        let cells = line.Split('|')
        select (cells[1].Trim(), cells[2].Trim());

    private static string Document()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "KerberosMessaging.sln")))
        {
            folder = folder.Parent;
        }

        Assert.NotNull(folder);
        return Path.Combine(folder.FullName, "docs", "operations.md");
    }
}
