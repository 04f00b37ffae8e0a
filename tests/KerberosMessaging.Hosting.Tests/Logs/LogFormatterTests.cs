using System.Text.Json;
using KerberosMessaging.Hosting.Logs;
using KerberosMessaging.Protocol;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.Hosting.Tests.Logs;

public sealed class LogFormatterTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 5, 4, 8, 15, 30, TimeSpan.Zero));
    private readonly LoggerExternalScopeProvider _scopes = new();

    [Fact]
    public void Text_is_one_line_with_the_ids_that_it_belongs_to()
    {
        var session = SessionId.New();
        using var connection = _scopes.Push(LogCorrelation.Of(session));

        var line = Write(new TextLogFormatter(_time), "It ended:\nbadly.", exception: null);

        Assert.Equal($"2026-05-04T08:15:30Z warn: Some.Category[1001] It ended: badly. session={session}\n", line);
    }

    [Fact]
    public void Json_has_a_field_for_each_id()
    {
        using var request = _scopes.Push(LogCorrelation.OfRequest("0HN:1"));
        using var activity = new System.Diagnostics.Activity("test").SetIdFormat(System.Diagnostics.ActivityIdFormat.W3C).Start();

        var line = JsonDocument.Parse(Write(new JsonLogFormatter(_time), "It \"failed\".", new InvalidOperationException("Why."))).RootElement;

        Assert.Equal("2026-05-04T08:15:30.000Z", line.GetProperty("time").GetString());
        Assert.Equal("Warning", line.GetProperty("level").GetString());
        Assert.Equal("Some.Category", line.GetProperty("category").GetString());
        Assert.Equal(1001, line.GetProperty("event").GetInt32());
        Assert.Equal("It \"failed\".", line.GetProperty("message").GetString());
        Assert.Equal("0HN:1", line.GetProperty("request").GetString());
        Assert.Equal(activity.TraceId.ToHexString(), line.GetProperty("trace").GetString());
        Assert.Contains("Why.", line.GetProperty("exception").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Scopes_of_others_are_not_written(bool isJson)
    {
        using var scope = _scopes.Push("RequestPath:/admin/v1/clients?search=alice");

        Assert.DoesNotContain(
            "alice",
            Write(isJson ? new JsonLogFormatter(_time) : new TextLogFormatter(_time), "Hello.", exception: null),
            StringComparison.Ordinal);
    }

    private string Write(ConsoleFormatter formatter, string text, Exception? exception)
    {
        using var output = new StringWriter { NewLine = "\n" };
        formatter.Write(
            new LogEntry<string>(LogLevel.Warning, "Some.Category", new EventId(1001), text, exception, static (state, _) => state),
            _scopes,
            output);
        return output.ToString();
    }
}
