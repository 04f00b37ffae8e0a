using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace KerberosMessaging.EndToEndTests.Support;

/// <summary>Sends the requests of a file one after the other, and keeps the replies that later ones refer to.</summary>
internal sealed partial class HttpFileRun(HttpClient http, IReadOnlyDictionary<string, string> variables)
{
    private readonly Dictionary<string, (HttpResponseHeaders Headers, string Body)> _replies = new(StringComparer.Ordinal);

    public async Task<(int Status, string Body)> SendAsync(HttpFileRequest request, CancellationToken cancellationToken)
    {
        using var message = new HttpRequestMessage(new HttpMethod(request.Method), Resolve(request.Target));
        foreach (var (name, value) in request.Headers.Where(static header => header.Name != "Content-Type"))
        {
            message.Headers.Add(name, Resolve(value));
        }

        if (request.Body.Length > 0)
        {
            var type = request.Headers.Single(static header => header.Name == "Content-Type").Value;
            message.Content = new StringContent(Resolve(request.Body), Encoding.UTF8, type);
        }

        using var response = await http.SendAsync(message, cancellationToken);
        var body = await response.Content.ReadAsStringAsync(cancellationToken);
        if (request.Name is { } kept)
        {
            _replies.Add(kept, (response.Headers, body));
        }

        return ((int)response.StatusCode, body);
    }

    private string Resolve(string text) => Reference().Replace(text, match => ValueOf(match.Groups["what"].Value));

    // A variable's value may refer to another variable.
    private string ValueOf(string what)
    {
        if (variables.TryGetValue(what, out var value))
        {
            return Resolve(value);
        }

        var match = ReplyReference().Match(what);
        if (!match.Success || !_replies.TryGetValue(match.Groups["request"].Value, out var reply))
        {
            throw new FormatException($"Nothing before is called so: {what}");
        }

        return match.Groups["header"] is { Success: true } header
            ? reply.Headers.GetValues(header.Value).Single()
            : Find(reply.Body, match.Groups["path"].Value) ?? throw new FormatException($"The reply has no value there: {what}");
    }

    // The part of JSONPath that names one value.
    private static string? Find(string body, string path)
    {
        using var document = JsonDocument.Parse(body);
        var element = document.RootElement;
        foreach (Match step in Step().Matches(path))
        {
            if (step.Groups["index"] is { Success: true } index)
            {
                var i = int.Parse(index.Value, CultureInfo.InvariantCulture);
                if (element.ValueKind != JsonValueKind.Array || i >= element.GetArrayLength())
                {
                    return null;
                }

                element = element[i];
            }
            else if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(step.Groups["name"].Value, out element))
            {
                return null;
            }
        }

        return element.ValueKind is JsonValueKind.String or JsonValueKind.Number ? element.ToString() : null;
    }

    [GeneratedRegex(@"\{\{(?<what>[^{}]+)\}\}", RegexOptions.ExplicitCapture)]
    private static partial Regex Reference();

    [GeneratedRegex(@"^(?<request>\w+)\.response\.(headers\.(?<header>[\w-]+)|body\.\$(?<path>(\.\w+|\[\d+\])+))$", RegexOptions.ExplicitCapture)]
    private static partial Regex ReplyReference();

    [GeneratedRegex(@"\.(?<name>\w+)|\[(?<index>\d+)\]", RegexOptions.ExplicitCapture)]
    private static partial Regex Step();
}
