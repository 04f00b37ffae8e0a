using Microsoft.Extensions.Logging;

namespace KerberosMessaging.MessageServer.Tests.Support;

/// <summary>Keeps what was logged, and lets a test wait for a line.</summary>
internal sealed class LogLines : ILoggerProvider, ILogger
{
    private readonly Lock _lock = new();
    private readonly List<(LogLevel Level, string Text)> _lines = [];
    private TaskCompletionSource _added = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyList<(LogLevel Level, string Text)> Lines
    {
        get
        {
            lock (_lock)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>Waits until so many lines of a level hold a text, and returns the last of them.</summary>
    public async Task<string> WaitForAsync(LogLevel level, string text, CancellationToken cancellationToken, int count = 1)
    {
        while (true)
        {
            Task added;
            lock (_lock)
            {
                var found = _lines.Where(line => line.Level == level && line.Text.Contains(text, StringComparison.Ordinal)).ToArray();
                if (found.Length >= count)
                {
                    return found[count - 1].Text;
                }

                added = _added.Task;
            }

            await added.WaitAsync(cancellationToken);
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lock)
        {
            _lines.Add((logLevel, $"{formatter(state, exception)} {exception}"));
            _added.SetResult();
            _added = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    public void Dispose()
    {
    }
}
