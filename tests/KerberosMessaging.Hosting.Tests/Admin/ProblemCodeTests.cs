using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using KerberosMessaging.Hosting.Admin;

namespace KerberosMessaging.Hosting.Tests.Admin;

/// <summary>Programs decide by the codes of problems, so all of them are in one list and in the documentation.</summary>
public sealed partial class ProblemCodeTests
{
    private static readonly string[] Servers = ["KerberosMessaging.Hosting", "KerberosMessaging.AuthServer", "KerberosMessaging.MessageServer"];

    private static readonly IReadOnlyList<FieldInfo> Codes =
        [.. typeof(ProblemCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Where(static field => field.IsLiteral)];

    [Fact]
    public void The_documented_codes_are_those_that_there_are() => Assert.Equal(
        Codes.Select(static field => (string)field.GetRawConstantValue()!).Order(StringComparer.Ordinal),
        Documented().Select(static row => row.Code).Distinct().Order(StringComparer.Ordinal));

    [Fact]
    public void The_general_codes_are_documented_with_their_status()
    {
        var rows = Documented();
        foreach (var (status, code) in rows)
        {
            // A more specific one stands beside the general one of its status.
            Assert.Contains((status, ProblemCodes.Of(status)), rows);
            Assert.True(ProblemCodes.Of(status) == code || Enumerable.Range(400, 200).All(other => ProblemCodes.Of(other) != code), $"{status} {code}");
        }
    }

    [Fact]
    public void The_servers_answer_with_no_code_that_is_not_in_the_list()
    {
        var known = Codes.Select(static field => $"ProblemCodes.{field.Name}").ToHashSet();
        var made = 0;
        foreach (var file in Servers.SelectMany(static server => Sources(server)))
        {
            var text = File.ReadAllText(file);
            foreach (Match call in CodeMade().Matches(text))
            {
                made++;
                Assert.True(known.Contains(call.Groups["code"].Value), $"{Path.GetFileName(file)}: {call.Value}");
            }

            // Only the one place that all of those calls go through sets the member, and the writer where nothing else did. What health adds
            // is its checks.
            Assert.True(
                !MemberSet().IsMatch(text) || Path.GetFileName(file) is "AdminResults.cs" or "AdminProblemWriter.cs" or "AdminOperationFilter.cs" or "HealthEndpoints.cs",
                $"{Path.GetFileName(file)} sets a code by itself");
        }

        Assert.True(made > 5, $"only {made} calls found");
    }

    private static IEnumerable<string> Sources(string server) =>
        Directory.EnumerateFiles(Path.Combine(Root(), "src", server), "*.cs", SearchOption.AllDirectories)
            .Where(static file => !file.Split(Path.DirectorySeparatorChar).Contains("obj"));

    private static List<(int Status, string Code)> Documented() =>
        [.. TableRow().Matches(File.ReadAllText(Path.Combine(Root(), "docs", "operations.md")))
            .Select(static row => (int.Parse(row.Groups["status"].Value, CultureInfo.InvariantCulture), row.Groups["code"].Value))];

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "KerberosMessaging.sln")))
        {
            folder = folder.Parent!;
        }

        return folder.FullName;
    }

    [GeneratedRegex(@"^\| (?<status>[45]\d\d) \| `(?<code>\w+)` \|", RegexOptions.Multiline | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex TableRow();

    // The second argument of Problem, and the first of a Conflict that begins with no text.
    [GeneratedRegex(
        @"AdminResults\.(Problem\(\s*[\w.]+,\s*(?<code>[^,]+?)\s*,|Conflict\(\s*(?<code>[^,""$)]+?)\s*,)",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex CodeMade();

    [GeneratedRegex(@"\[""code""\]|(TryAdd|Add)\(""code"",|\b(Typed)?Results\.Problem\([^;]*extensions:", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex MemberSet();
}
