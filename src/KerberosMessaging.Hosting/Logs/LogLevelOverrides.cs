using KerberosMessaging.Hosting.Audit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace KerberosMessaging.Hosting.Logs;

/// <summary>
/// Log levels that an admin set for a while: a source of configuration above all others, which the logging of the framework follows.
/// Each goes back by itself, so that nobody forgets one that fills the disk.
/// </summary>
internal sealed partial class LogLevelOverrides(LogLevelSource source, IAuditWriter audit, TimeProvider time, ILogger<LogLevelOverrides> logger) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (LogLevel Level, DateTimeOffset Until, ITimer Timer)> _set = new(StringComparer.Ordinal);

    /// <summary>What is set now, by category.</summary>
    public IReadOnlyList<LogLevelOverride> All
    {
        get
        {
            lock (_lock)
            {
                return [.. _set.OrderBy(static set => set.Key, StringComparer.Ordinal).Select(static set => new LogLevelOverride(set.Key, set.Value.Level, set.Value.Until))];
            }
        }
    }

    /// <summary>Sets a level for a while, in the place of what was set before. It is audited first.</summary>
    public async Task<LogLevelOverride> SetAsync(string category, LogLevel level, TimeSpan life, Origin origin, CancellationToken cancellationToken)
    {
        var until = time.GetUtcNow() + life;
        await audit.WriteAsync(
            new AuditEvent(AuditKind.LogLevelChanged, origin, category, $"{level} for {life.TotalMinutes:0} minutes"), cancellationToken);
        lock (_lock)
        {
            Forget(category);
            _set[category] = (level, until, time.CreateTimer(_ => Expire(category, until), null, life, Timeout.InfiniteTimeSpan));
            source.Set(category, level);
        }

        return new LogLevelOverride(category, level, until);
    }

    /// <summary>Goes back to what configuration says; false where nothing was set.</summary>
    public async Task<bool> RemoveAsync(string category, Origin origin, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (!_set.ContainsKey(category))
            {
                return false;
            }
        }

        await audit.WriteAsync(new AuditEvent(AuditKind.LogLevelChanged, origin, category, "back to the configured level"), cancellationToken);
        lock (_lock)
        {
            Forget(category);
        }

        return true;
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var (_, _, timer) in _set.Values)
            {
                timer.Dispose();
            }
        }
    }

    private void Expire(string category, DateTimeOffset until)
    {
        lock (_lock)
        {
            // Another one may have taken its place at this moment.
            if (!_set.TryGetValue(category, out var set) || set.Until != until)
            {
                return;
            }

            Forget(category);
        }

        _ = AuditReturnAsync(category);
    }

    private async Task AuditReturnAsync(string category)
    {
        try
        {
            await audit.WriteAsync(
                new AuditEvent(AuditKind.LogLevelChanged, Origin.System, category, "back to the configured level"), CancellationToken.None);
        }
        catch (Exception e)
        {
            // It went back all the same: an override that stays because the disk is full would fill it further.
            Log.NotAudited(logger, e, category);
        }
    }

    private void Forget(string category)
    {
        if (_set.Remove(category, out var set))
        {
            set.Timer.Dispose();
            source.Remove(category);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1301, LogLevel.Error, "The log level of {Category} went back, and the audit log could not be told.")]
        public static partial void NotAudited(ILogger logger, Exception exception, string category);
    }
}

/// <summary>A log level that an admin set.</summary>
internal readonly record struct LogLevelOverride(string Category, LogLevel Level, DateTimeOffset Until);

/// <summary>The source of configuration that the overrides are in.</summary>
internal sealed class LogLevelSource : ConfigurationProvider, IConfigurationSource
{
    private const string Prefix = "Logging:LogLevel:";

    // The same one when the sources are built anew.
    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    public void Set(string category, LogLevel level)
    {
        Data[Prefix + category] = level.ToString();
        OnReload();
    }

    public void Remove(string category)
    {
        Data.Remove(Prefix + category);
        OnReload();
    }
}
