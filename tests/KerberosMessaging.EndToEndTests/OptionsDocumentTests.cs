using System.Globalization;
using System.Reflection;
using KerberosMessaging.AuthServer;
using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.MessageServer;

namespace KerberosMessaging.EndToEndTests;

/// <summary>The tables of options in docs/operations.md are the options of both servers, each with its default.</summary>
public sealed class OptionsDocumentTests
{
    /// <summary>What differs between the servers, or depends on another option, is told in words.</summary>
    private static readonly string[] ToldInWords = ["Wire:Port", "Admin:Port", "Data:Directory"];

    private static readonly (string Section, Type Options)[] Sections =
        [.. OptionSections.With(AuthServerApp.Sections).Concat(OptionSections.With(MessageServerApp.Sections)).Distinct()];

    public static TheoryData<string, string?> Options =>
        [.. Sections.SelectMany(static section => OptionSections.Properties(section.Options)
            .Select(property => ($"{section.Section}:{property.Name}", Default(section.Options, property))))];

    [Theory]
    [MemberData(nameof(Options))]
    public void Every_option_has_one_row_with_its_default(string option, string? value)
    {
        var row = Assert.Single(Rows(), row => row.Option == option);

        if (value is not null && !ToldInWords.Contains(option))
        {
            Assert.Equal(value, row.Default);
        }
    }

    [Fact]
    public void Every_row_is_an_option()
    {
        var options = Options.Select(static option => option.Data.Item1).ToHashSet();
        var sections = Sections.Select(static section => section.Section).ToHashSet();

        Assert.All(Rows().Where(row => sections.Contains(row.Option.Split(':')[0])), row => Assert.Contains(row.Option, options));
    }

    // Null where there is none but in words.
    private static string? Default(Type options, PropertyInfo property)
    {
        var value = property.GetValue(Activator.CreateInstance(options));
        return value is bool flag ? (flag ? "true" : "false")
            : Convert.ToString(value, CultureInfo.InvariantCulture) is { Length: > 0 } text ? text
            : null;
    }

    private static IEnumerable<(string Option, string Default)> Rows() =>
        from line in File.ReadLines(Document())
        where line.StartsWith("| `", StringComparison.Ordinal) && line.Contains(':', StringComparison.Ordinal)
        let cells = line.Split('|')
        where cells.Length > 2
        select (cells[1].Trim().Trim('`'), cells[2].Trim().Trim('`'));

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
