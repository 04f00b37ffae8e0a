using System.Text.RegularExpressions;

namespace KerberosMessaging.EndToEndTests.Support;

/// <summary>
/// A file of HTTP requests in the form that Visual Studio and the REST Client of VS Code read: <c>@name = value</c>, requests parted by
/// <c>###</c>, named by <c># @name</c>. Only what such tools have in common.
/// </summary>
internal sealed partial class HttpFile
{
    private HttpFile(Dictionary<string, string> variables, List<HttpFileRequest> requests) => (Variables, Requests) = (variables, requests);

    public Dictionary<string, string> Variables { get; }

    public List<HttpFileRequest> Requests { get; }

    /// <exception cref="FormatException">A line is none of what such a file has.</exception>
    public static HttpFile Parse(string text)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        var requests = new List<HttpFileRequest>();
        var parts = Separator().Split(text.ReplaceLineEndings("\n"));
        foreach (var line in parts[0].Split('\n').Where(static line => line.Length > 0 && line[0] != '#'))
        {
            var match = Variable().Match(line);
            variables.Add(
                match.Success ? match.Groups["name"].Value : throw new FormatException($"This is no variable: {line}"), match.Groups["value"].Value);
        }

        foreach (var part in parts[1..])
        {
            requests.Add(ParseRequest(part));
        }

        return new HttpFile(variables, requests);
    }

    private static HttpFileRequest ParseRequest(string text)
    {
        // The title is the rest of the line that parts it from the one before.
        var lines = text.Split('\n');
        string? name = null;
        var at = 1;
        for (; at < lines.Length && lines[at].StartsWith('#'); at++)
        {
            name = RequestName().Match(lines[at]) is { Success: true } match ? match.Groups["name"].Value : name;
        }

        if (at == lines.Length || RequestLine().Match(lines[at]) is not { Success: true } request)
        {
            throw new FormatException($"There is no request under: {lines[0]}");
        }

        var headers = new List<(string, string)>();
        for (at++; at < lines.Length && lines[at].Length > 0; at++)
        {
            var header = lines[at].Split(": ", 2);
            headers.Add(header.Length == 2 ? (header[0], header[1]) : throw new FormatException($"This is no header: {lines[at]}"));
        }

        return new HttpFileRequest(
            lines[0].Trim(), name, request.Groups["method"].Value, request.Groups["target"].Value, headers, string.Join('\n', lines[at..]).Trim());
    }

    [GeneratedRegex("^###", RegexOptions.Multiline)]
    private static partial Regex Separator();

    [GeneratedRegex(@"^@(?<name>\w+) = (?<value>\S.*)$", RegexOptions.ExplicitCapture)]
    private static partial Regex Variable();

    [GeneratedRegex(@"^# @name (?<name>\w+)$", RegexOptions.ExplicitCapture)]
    private static partial Regex RequestName();

    [GeneratedRegex(@"^(?<method>GET|POST|PUT|DELETE) (?<target>\S+)$", RegexOptions.ExplicitCapture)]
    private static partial Regex RequestLine();
}

/// <summary>One request, with its references as they stand.</summary>
internal sealed record HttpFileRequest(
    string Title, string? Name, string Method, string Target, List<(string Name, string Value)> Headers, string Body);
