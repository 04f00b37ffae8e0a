using System.Globalization;
using System.Reflection;
using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Hosting.Wire.Limits;

namespace KerberosMessaging.Hosting.Tests.Startup;

/// <summary>What docs/operations.md says of the options of both servers is what the code does.</summary>
public sealed class OperationsDocumentTests
{
    private static readonly (string Section, object Defaults)[] Sections =
    [
        (DataOptions.SectionName, new DataOptions()),
        (WireOptions.SectionName, new WireOptions()),
        (LimitOptions.SectionName, new LimitOptions()),
    ];

    public static TheoryData<string, string?> Options =>
        [.. Sections.SelectMany(static section => Settable(section.Defaults).Select(property =>
            ($"{section.Section}:{property.Name}", Number(property.GetValue(section.Defaults)))))];

    [Theory]
    [MemberData(nameof(Options))]
    public void Every_option_has_a_row_with_its_default(string option, string? number)
    {
        var row = Assert.Single(Rows(), row => row.Option == $"`{option}`");

        // The ports, which differ between the servers, and what is no number are told in words.
        if (number is not null and not "0")
        {
            Assert.Equal(number, row.Default);
        }
    }

    [Fact]
    public void Every_row_is_an_option()
    {
        var options = Options.Select(static option => $"`{option.Data.Item1}`").ToHashSet();

        Assert.All(
            Rows().Where(static row => Sections.Any(section => row.Option.StartsWith($"`{section.Section}:", StringComparison.Ordinal))),
            row => Assert.Contains(row.Option, options));
    }

    private static IEnumerable<PropertyInfo> Settable(object options) =>
        options.GetType().GetProperties().Where(static property => property.CanWrite);

    private static string? Number(object? value) => value is int number ? number.ToString(CultureInfo.InvariantCulture) : null;

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
