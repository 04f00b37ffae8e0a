using System.Collections.Concurrent;
using KerberosMessaging.Hosting.Admin.Access;
using KerberosMessaging.Hosting.Audit;
using Microsoft.Extensions.DependencyInjection;

namespace KerberosMessaging.Hosting.Tests.Admin;

/// <summary>A server's database as far as the admin API needs one: tokens and audit events, in memory.</summary>
internal sealed class MemoryStore : IAdminTokenStore, IAuditWriter
{
    private readonly ConcurrentDictionary<Guid, AdminTokenRow> _tokens = [];

    public ConcurrentQueue<AuditEvent> Events { get; } = [];

    public static void Add(IServiceCollection services)
    {
        services.AddSingleton<MemoryStore>();
        services.AddSingleton<IAdminTokenStore>(static provider => provider.GetRequiredService<MemoryStore>());
        services.AddSingleton<IAuditWriter>(static provider => provider.GetRequiredService<MemoryStore>());
    }

    public Task WriteAsync(AuditEvent happened, CancellationToken cancellationToken)
    {
        Events.Enqueue(happened);
        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<AdminTokenRow>> LoadAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<AdminTokenRow>>([.. _tokens.Values]);

    public Task AddAsync(AdminTokenRow token, AuditEvent happened, CancellationToken cancellationToken)
    {
        _tokens[token.Id] = token;
        return WriteAsync(happened, cancellationToken);
    }

    public Task RevokeAsync(Guid id, DateTimeOffset at, string by, AuditEvent happened, CancellationToken cancellationToken)
    {
        (_tokens[id].RevokedAt, _tokens[id].RevokedBy) = (at, by);
        return WriteAsync(happened, cancellationToken);
    }

    public Task SetLastUsedAsync(IReadOnlyDictionary<Guid, DateTimeOffset> uses, CancellationToken cancellationToken)
    {
        foreach (var (id, at) in uses)
        {
            _tokens[id].LastUsedAt = at;
        }

        return Task.CompletedTask;
    }
}
