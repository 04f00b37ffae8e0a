using KerberosMessaging.Hosting.Audit;

namespace KerberosMessaging.Hosting.Admin.Access;

/// <summary>Keeps admin tokens in the server's database. Nobody else writes there, so what was loaded at start stays true.</summary>
public interface IAdminTokenStore
{
    /// <summary>Every token, revoked ones too.</summary>
    /// <param name="cancellationToken">The caller's patience.</param>
    Task<IReadOnlyList<AdminTokenRow>> LoadAsync(CancellationToken cancellationToken);

    /// <summary>Adds a token and its audit row, both or neither.</summary>
    /// <param name="token">The token.</param>
    /// <param name="happened">For the audit log.</param>
    /// <param name="cancellationToken">The caller's patience.</param>
    Task AddAsync(AdminTokenRow token, AuditEvent happened, CancellationToken cancellationToken);

    /// <summary>Marks a token as revoked and adds the audit row, both or neither.</summary>
    /// <param name="id">The token.</param>
    /// <param name="at">When.</param>
    /// <param name="by">Who.</param>
    /// <param name="happened">For the audit log.</param>
    /// <param name="cancellationToken">The caller's patience.</param>
    Task RevokeAsync(Guid id, DateTimeOffset at, string by, AuditEvent happened, CancellationToken cancellationToken);

    /// <summary>Stores when tokens were last used.</summary>
    /// <param name="uses">Token and time.</param>
    /// <param name="cancellationToken">The caller's patience.</param>
    Task SetLastUsedAsync(IReadOnlyDictionary<Guid, DateTimeOffset> uses, CancellationToken cancellationToken);
}
