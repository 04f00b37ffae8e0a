using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace KerberosMessaging.Hosting.Logs;

/// <summary>One line for people: time, level, category and number of the event, text, and what it belongs to.</summary>
internal sealed class TextLogFormatter(TimeProvider time) : ConsoleFormatter(FormatName)
{
    public const string FormatName = "kmsg-text";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var fields = LogFields.Read(scopeProvider).Select(static field => $"{field.Name}={field.Value}");
        var text = $"{logEntry.Formatter(logEntry.State, logEntry.Exception)} {string.Join(' ', fields)}".TrimEnd();
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{time.GetUtcNow():yyyy-MM-ddTHH:mm:ssZ} {Level(logEntry.LogLevel)}: {logEntry.Category}[{logEntry.EventId.Id}] {text}");
        textWriter.WriteLine(OnOneLine(logEntry.Exception is { } exception ? $"{line} {exception}" : line));
    }

    private static string Level(LogLevel level) => level switch
    {
        LogLevel.Trace => "trce",
        LogLevel.Debug => "dbug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "fail",
        _ => "crit",
    };

    // A line that somebody smuggles in would look like one of ours.
    private static string OnOneLine(string text) => text.ReplaceLineEndings(" ");
}
