using System.Text.RegularExpressions;

namespace KerberosMessaging.Protocol.Tests;

/// <summary>
/// docs/protocol.md as tests read it: its worked examples, which stand in fences marked with a name, and its tables.
/// </summary>
internal static partial class SpecificationDocument
{
    private static readonly string Text = Read();

    /// <summary>The names of all examples in hex.</summary>
    public static IReadOnlyList<string> ExampleNames { get; } = [.. HexFence().Matches(Text).Select(match => match.Groups["name"].Value)];

    /// <summary>The bytes of an example.</summary>
    public static byte[] Example(string name) => Hex.Parse(Content(HexFence(), name));

    /// <summary>An example that is text.</summary>
    public static string TextExample(string name) => Content(TextFence(), name).Trim();

    /// <summary>The cells of each row of the first table whose header row starts with these cells.</summary>
    public static IReadOnlyList<string[]> Table(params string[] header)
    {
        var lines = Text.Split('\n');
        var start = Array.FindIndex(lines, line => Cells(line).AsSpan().StartsWith(header));
        Assert.True(start >= 0, $"docs/protocol.md has no table with the columns {string.Join(", ", header)}.");
        return [.. lines.Skip(start + 2).TakeWhile(line => line.StartsWith('|')).Select(Cells)];
    }

    /// <summary>Whether there is a section with this title.</summary>
    public static bool HasSection(string title) => Text.Split('\n').Contains(title);

    private static string Content(Regex fence, string name)
    {
        var found = fence.Matches(Text).Where(match => match.Groups["name"].Value == name).ToArray();
        Assert.True(found.Length == 1, $"docs/protocol.md has {found.Length} examples named {name}.");
        return found[0].Groups["content"].Value;
    }

    private static string[] Cells(string line) => line.StartsWith('|')
        ? [.. line.Split('|')[1..^1].Select(cell => cell.Trim())]
        : [];

    private static string Read()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "KerberosMessaging.sln")))
        {
            folder = folder.Parent;
        }

        Assert.NotNull(folder);
        return File.ReadAllText(Path.Combine(folder.FullName, "docs", "protocol.md")).ReplaceLineEndings("\n");
    }

    [GeneratedRegex(@"^```hex name=(?<name>\S+)\n(?<content>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex HexFence();

    [GeneratedRegex(@"^```text name=(?<name>\S+)\n(?<content>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex TextFence();
}
