using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Hosting.Logs;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.Hosting.Tests.Logs;

public sealed class LogLevelTests : IDisposable
{
    private const string Category = "KerberosMessaging.Hosting.Wire";

    private readonly FakeTimeProvider _time = new();
    private readonly Events _audit = new();
    private readonly ServiceProvider _services;
    private readonly LogLevelOverrides _levels;
    private readonly ILogger _logger;

    public LogLevelTests()
    {
        var source = new LogLevelSource();
        var configuration = new ConfigurationManager { ["Logging:LogLevel:Default"] = "Information" };
        ((IConfigurationBuilder)configuration).Add(source);
        _services = new ServiceCollection()
            .AddLogging(logging => logging.AddConfiguration(configuration.GetSection("Logging")).AddProvider(new Admin.LogLines()))
            .BuildServiceProvider();
        _levels = new LogLevelOverrides(source, _audit, _time, NullLogger<LogLevelOverrides>.Instance);
        _logger = _services.GetRequiredService<ILoggerFactory>().CreateLogger($"{Category}.RequestLoop");
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _levels.Dispose();
        _services.Dispose();
    }

    [Fact]
    public async Task A_level_is_in_force_at_once_and_goes_back_by_itself()
    {
        Assert.False(_logger.IsEnabled(LogLevel.Debug));

        await _levels.SetAsync(Category, LogLevel.Debug, TimeSpan.FromMinutes(15), Origin.System, Cancel);

        Assert.True(_logger.IsEnabled(LogLevel.Debug));
        Assert.False(_services.GetRequiredService<ILoggerFactory>().CreateLogger("KerberosMessaging.Hosting.Admin").IsEnabled(LogLevel.Debug));
        Assert.Equal(new LogLevelOverride(Category, LogLevel.Debug, _time.GetUtcNow().AddMinutes(15)), Assert.Single(_levels.All));
        _time.Advance(TimeSpan.FromMinutes(14));
        Assert.True(_logger.IsEnabled(LogLevel.Debug));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(_logger.IsEnabled(LogLevel.Debug));
        Assert.Empty(_levels.All);
        Assert.Equal(["Debug for 15 minutes", "back to the configured level"], _audit.Details);
    }

    [Fact]
    public async Task A_level_that_is_set_again_lives_as_long_as_the_later_one()
    {
        await _levels.SetAsync(Category, LogLevel.Debug, TimeSpan.FromMinutes(1), Origin.System, Cancel);
        await _levels.SetAsync(Category, LogLevel.Trace, TimeSpan.FromMinutes(10), Origin.System, Cancel);

        _time.Advance(TimeSpan.FromMinutes(5));

        Assert.True(_logger.IsEnabled(LogLevel.Trace));
    }

    [Fact]
    public async Task A_level_can_be_taken_back_once()
    {
        await _levels.SetAsync(Category, LogLevel.Debug, TimeSpan.FromMinutes(15), Origin.System, Cancel);

        Assert.True(await _levels.RemoveAsync(Category, Origin.System, Cancel));
        Assert.False(_logger.IsEnabled(LogLevel.Debug));
        Assert.False(await _levels.RemoveAsync(Category, Origin.System, Cancel));
    }

    private sealed class Events : IAuditWriter
    {
        private readonly List<string> _details = [];

        public IReadOnlyList<string> Details => _details;

        public Task WriteAsync(AuditEvent happened, CancellationToken cancellationToken)
        {
            Assert.Equal(AuditKind.LogLevelChanged, happened.Kind);
            _details.Add(happened.Detail);
            return Task.CompletedTask;
        }
    }
}
