using KerberosMessaging.Terminal.Rendering;
using Microsoft.Extensions.Logging;

namespace KerberosMessaging.Terminal.Interaction;

/// <summary>
/// Shows what the library notes about its connections, so that a command that waits does not seem to hang. Of the same
/// note repeated, as while a server is away, only the first is shown.
/// </summary>
internal sealed class NoticeLogger(TextWriter error) : ILoggerFactory, ILogger
{
    private readonly Lock _lock = new();
    private EventId _last;

    public ILogger CreateLogger(string categoryName) => this;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        lock (_lock)
        {
            if (!IsEnabled(logLevel) || eventId == _last)
            {
                return;
            }

            _last = eventId;
            error.WriteLine($"kmsg: {SafeText.OfLine(formatter(state, null))}");
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
    }
}
