using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using KerberosMessaging.Hosting.Audit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Admin.Access;

/// <summary>
/// The admin tokens of this server: in memory by their hashes, and in its database. Changes take turns here, so that what is
/// checked is still true when it is stored.
/// </summary>
public sealed partial class AdminTokens : BackgroundService
{
    /// <summary>The name of the token that the server made for itself.</summary>
    public const string FirstName = "first";

    /// <summary>The name of the token that came from a file.</summary>
    public const string FileName = "file";

    private static readonly TimeSpan FlushEvery = TimeSpan.FromMinutes(1);

    private readonly IAdminTokenStore _store;
    private readonly AdminToken _configured;
    private readonly AdminOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly ConcurrentDictionary<Guid, HeldToken> _used = [];
    private FrozenDictionary<string, HeldToken> _byHash = FrozenDictionary<string, HeldToken>.Empty;

    /// <summary>Knows no token before <see cref="LoadAsync"/>.</summary>
    /// <param name="store">Keeps them.</param>
    /// <param name="configured">The token that the server's files name.</param>
    /// <param name="options">Says where that came from.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Is told what could not be stored.</param>
    public AdminTokens(
        IAdminTokenStore store, AdminToken configured, IOptions<AdminOptions> options, TimeProvider time, ILogger<AdminTokens> logger) =>
        (_store, _configured, _options, _time, _logger) = (store, configured, options.Value, time, logger);

    /// <summary>
    /// Reads the tokens, and adds the one that the server's files name if it is new: then it takes the place of the one that
    /// they named before. To be called before the server starts.
    /// </summary>
    /// <param name="cancellationToken">The caller's patience.</param>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        Hold([.. (await _store.LoadAsync(cancellationToken)).Select(static row => new HeldToken(row))]);
        var now = Now();
        var isFromFile = !string.IsNullOrWhiteSpace(_options.TokenFile);
        var isKnown = _byHash.ContainsKey(Key(_configured.Hash));
        foreach (var token in All().Where(token => token.Row.RevokedAt is null && !token.Row.Hash.AsSpan().SequenceEqual(_configured.Hash)))
        {
            // A file that is configured no more opens no more either.
            if (token.Row.Name == FileName || (token.Row.Name == FirstName && !isFromFile && !isKnown))
            {
                await RevokeAsync(token, Origin.System, cancellationToken);
            }
        }

        if (!isKnown)
        {
            var row = new AdminTokenRow
            {
                Id = Guid.NewGuid(),
                Name = isFromFile ? FileName : FirstName,
                Hash = _configured.Hash,
                Role = AdminRole.Admin,
                Scopes = "",
                CreatedAt = now,
            };
            await AddAsync(row, Origin.System, cancellationToken);
        }
    }

    /// <summary>Writes down when tokens were last used.</summary>
    /// <param name="cancellationToken">The caller's patience.</param>
    public async Task FlushUsesAsync(CancellationToken cancellationToken)
    {
        var uses = _used.Keys.ToDictionary(static id => id, id => _used.TryRemove(id, out var token) ? token.LastUsedAt : null)
            .Where(static use => use.Value is not null)
            .ToDictionary(static use => use.Key, static use => use.Value!.Value);
        if (uses.Count > 0)
        {
            await _store.SetLastUsedAsync(uses, cancellationToken);
        }
    }

    /// <inheritdoc />
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await TryFlushAsync(CancellationToken.None);
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        _turn.Dispose();
        base.Dispose();
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(FlushEvery, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await TryFlushAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    /// <summary>Finds a token by its hash, whatever became of it.</summary>
    internal HeldToken? Find(byte[] hash) => _byHash.GetValueOrDefault(Key(hash));

    internal HeldToken? Find(Guid id) => _byHash.Values.FirstOrDefault(token => token.Row.Id == id);

    /// <summary>Every token, oldest first.</summary>
    internal IReadOnlyList<HeldToken> All() =>
        [.. _byHash.Values.OrderBy(static token => token.Row.CreatedAt).ThenBy(static token => token.Row.Id)];

    internal bool IsLiving(HeldToken token) => token.IsLiving(Now());

    internal void Use(HeldToken token)
    {
        if (token.Use(Now()))
        {
            _used[token.Row.Id] = token;
        }
    }

    /// <summary>Makes a token; null where a good one has the name.</summary>
    internal async Task<(HeldToken Held, string Token)?> MakeAsync(
        string name, AdminRole? role, IReadOnlyCollection<AdminScope> scopes, TimeSpan? life, Origin origin, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var now = Now();
            if (All().Any(token => token.Row.Name == name && token.IsLiving(now)))
            {
                return null;
            }

            var text = AdminToken.Make();
            var row = new AdminTokenRow
            {
                Id = Guid.NewGuid(),
                Name = name,
                Hash = AdminToken.HashOf(text),
                Role = role,
                Scopes = role is null ? string.Join(' ', scopes.Distinct().Order().Select(AdminScopes.NameOf)) : "",
                CreatedAt = now,
                ExpiresAt = now + life,
            };
            return (await AddAsync(row, origin, cancellationToken), text);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Revokes a token, if it is as the admin saw it and not the last that rules the server.</summary>
    internal async Task<TokenRevocation> RevokeAsync(
        Guid id, Precondition precondition, IReadOnlySet<AdminScope> held, Origin origin, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (Find(id) is not { } token)
            {
                return TokenRevocation.Unknown;
            }

            if (!precondition.Holds(token.Tag()))
            {
                return TokenRevocation.Stale;
            }

            if (token.Row.RevokedAt is not null)
            {
                return TokenRevocation.Done;
            }

            if (!token.Scopes.IsSubsetOf(held))
            {
                return TokenRevocation.Stronger;
            }

            if (RulesServer(token) && !All().Any(other => other != token && RulesServer(other)))
            {
                return TokenRevocation.Last;
            }

            await RevokeAsync(token, origin, cancellationToken);
            return TokenRevocation.Done;
        }
        finally
        {
            _turn.Release();
        }
    }

    // To the millisecond, as it is stored.
    private DateTimeOffset Now() => DateTimeOffset.FromUnixTimeMilliseconds(_time.GetUtcNow().ToUnixTimeMilliseconds());

    private bool RulesServer(HeldToken token) => token.Row.Role == AdminRole.Admin && token.IsLiving(Now());

    private async Task<HeldToken> AddAsync(AdminTokenRow row, Origin origin, CancellationToken cancellationToken)
    {
        var detail = $"named {row.Name}, {(row.Role is { } role ? $"role {role}" : $"scopes {row.Scopes}")}";
        await _store.AddAsync(row, new AuditEvent(AuditKind.TokenMade, origin, $"admin token {row.Id}", detail), cancellationToken);
        var held = new HeldToken(row);
        Hold([.. All(), held]);
        return held;
    }

    private async Task RevokeAsync(HeldToken token, Origin origin, CancellationToken cancellationToken)
    {
        var (row, now) = (token.Row, Now());
        await _store.RevokeAsync(
            row.Id,
            now,
            origin.Actor,
            new AuditEvent(AuditKind.AdminTokenRevoked, origin, $"admin token {row.Id}", $"named {row.Name}"),
            cancellationToken);
        var revoked = new AdminTokenRow
        {
            Id = row.Id,
            Name = row.Name,
            Hash = row.Hash,
            Role = row.Role,
            Scopes = row.Scopes,
            CreatedAt = row.CreatedAt,
            ExpiresAt = row.ExpiresAt,
            LastUsedAt = token.LastUsedAt,
            RevokedAt = now,
            RevokedBy = origin.Actor,
        };
        Hold([.. All().Where(other => other != token), new HeldToken(revoked)]);
    }

    [SuppressMessage("Design", "CA1031", Justification = "A time of last use is not worth a server that stops.")]
    private async Task TryFlushAsync(CancellationToken cancellationToken)
    {
        try
        {
            await FlushUsesAsync(cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Log.UsesNotStored(_logger, e);
        }
    }

    private void Hold(IReadOnlyList<HeldToken> tokens) =>
        Volatile.Write(ref _byHash, tokens.ToFrozenDictionary(static token => Key(token.Row.Hash), StringComparer.Ordinal));

    private static string Key(byte[] hash) => Convert.ToHexString(hash);

    private static partial class Log
    {
        [LoggerMessage(9201, LogLevel.Error, "The times when admin tokens were last used could not be stored.")]
        public static partial void UsesNotStored(ILogger logger, Exception exception);
    }
}

/// <summary>What came of revoking an admin token.</summary>
internal enum TokenRevocation
{
    Done,
    Unknown,
    Stale,
    Stronger,
    Last,
}
