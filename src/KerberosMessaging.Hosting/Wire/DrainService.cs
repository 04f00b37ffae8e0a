using KerberosMessaging.Hosting.Admin;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Wire;

/// <summary>
/// Empties the server of connections without losing what is in flight: readiness turns off, new connections are turned away, and open ones are
/// told to come back later once what they asked is answered. The host's stop drains by itself; an admin may drain before.
/// </summary>
public sealed class DrainService
{
    // How long a connection whose grace is over may still take: see the connection handler's farewell.
    private static readonly TimeSpan FarewellTime = TimeSpan.FromSeconds(2);

    private readonly ConnectionRegistry _registry;
    private readonly ReadinessState _readiness;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly ILogger _logger;
    private readonly WireOptions _options;
    private readonly Lock _lock = new();
    private Drain? _drain;

    /// <summary>Starts out serving.</summary>
    /// <param name="registry">The open connections.</param>
    /// <param name="readiness">Is turned off.</param>
    /// <param name="lifetime">Its stop drains.</param>
    /// <param name="options">How the host's stop drains.</param>
    /// <param name="logger">Is told.</param>
    public DrainService(
        ConnectionRegistry registry,
        ReadinessState readiness,
        IHostApplicationLifetime lifetime,
        IOptions<WireOptions> options,
        ILogger<DrainService> logger)
    {
        _registry = registry;
        _readiness = readiness;
        _lifetime = lifetime;
        _options = options.Value;
        _logger = logger;

        // An admin who drained before said when to come back.
        lifetime.ApplicationStopping.Register(() => Start(Volatile.Read(ref _drain)?.RetryAfter ?? DefaultRetryAfter, DefaultGrace));
    }

    /// <summary>Raised when a drain starts: what waits for a better moment is to be settled now.</summary>
    public event Action? Started;

    /// <summary>Raised when a drain was undone.</summary>
    public event Action? Undone;

    /// <summary>After what time clients are told to come back, where nobody says otherwise.</summary>
    public TimeSpan DefaultRetryAfter => TimeSpan.FromSeconds(_options.DrainRetryAfterSeconds);

    /// <summary>How long connections may finish, where nobody says otherwise.</summary>
    public TimeSpan DefaultGrace => TimeSpan.FromSeconds(_options.DrainGraceSeconds);

    /// <summary>How many connections are open.</summary>
    public int Connections => _registry.Count;

    /// <summary>What the server is doing.</summary>
    public DrainState State =>
        _lifetime.ApplicationStopping.IsCancellationRequested ? DrainState.Stopping
        : Volatile.Read(ref _drain) is null ? DrainState.Serving
        : _registry.Count > 0 ? DrainState.Draining
        : DrainState.Drained;

    /// <summary>
    /// Starts a drain. Connections that one before told to go are not told again, and end when the first of the two graces is over.
    /// </summary>
    /// <param name="retryAfter">After what time clients are told to come back. Each is told up to twice as long, so that they do not all come at once.</param>
    /// <param name="grace">How long connections may finish what is in flight.</param>
    public void Start(TimeSpan retryAfter, TimeSpan grace)
    {
        var drain = new Drain(retryAfter);
        lock (_lock)
        {
            Volatile.Write(ref _drain, drain);
            _readiness.SetDraining();
        }

        WireLog.Draining(_logger, _registry.Count);
        Started?.Invoke();
        foreach (var connection in _registry.All)
        {
            connection.Drain(drain.Spread());
        }

        _ = EndAfterAsync(grace);
    }

    /// <summary>Takes connections again. Those that were told to come back later go all the same.</summary>
    /// <returns>False when the host stops, which cannot be undone.</returns>
    public bool TryUndo()
    {
        lock (_lock)
        {
            if (_lifetime.ApplicationStopping.IsCancellationRequested)
            {
                return false;
            }

            if (_drain is null)
            {
                return true;
            }

            Volatile.Write(ref _drain, null);
            _readiness.EndDrain();
        }

        WireLog.DrainUndone(_logger);
        Undone?.Invoke();
        return true;
    }

    /// <summary>Stops the host once no connection is open, unless the drain was undone by then.</summary>
    /// <param name="grace">The drain's.</param>
    public async Task StopWhenDrainedAsync(TimeSpan grace)
    {
        var drain = Volatile.Read(ref _drain);
        await _registry.WhenEmptyAsync().WaitAsync(grace + FarewellTime).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (Volatile.Read(ref _drain) == drain)
        {
            _lifetime.StopApplication();
        }
    }

    /// <summary>Whether connections are turned away.</summary>
    /// <param name="comeBackAfter">What this one is to be told.</param>
    internal bool IsDraining(out TimeSpan comeBackAfter)
    {
        var drain = Volatile.Read(ref _drain);
        comeBackAfter = drain?.Spread() ?? default;
        return drain is not null;
    }

    // By the clock on the wall, as the host's own patience is.
    private async Task EndAfterAsync(TimeSpan grace)
    {
        await Task.Delay(grace);
        foreach (var connection in _registry.All)
        {
            connection.EndDrain();
        }
    }

    private sealed class Drain(TimeSpan retryAfter)
    {
        public TimeSpan RetryAfter => retryAfter;

        public TimeSpan Spread() => retryAfter * (1 + Random.Shared.NextDouble());
    }
}
