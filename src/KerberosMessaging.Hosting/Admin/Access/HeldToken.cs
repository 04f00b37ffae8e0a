using System.Collections.Frozen;

namespace KerberosMessaging.Hosting.Admin.Access;

/// <summary>An admin token in memory. Never changed: a revocation puts another in its place.</summary>
internal sealed class HeldToken
{
    private long _lastUsedMinute;

    public HeldToken(AdminTokenRow row)
    {
        Row = row;
        Scopes = row.Role is { } role ? AdminScopes.Of(role) : Parse(row.Scopes);
        _lastUsedMinute = row.LastUsedAt is { } at ? Minute(at) : 0;
    }

    public AdminTokenRow Row { get; }

    public FrozenSet<AdminScope> Scopes { get; }

    public DateTimeOffset? LastUsedAt =>
        Interlocked.Read(ref _lastUsedMinute) is > 0 and var minute ? DateTimeOffset.UnixEpoch.AddMinutes(minute) : null;

    public bool IsLiving(DateTimeOffset now) => Row.RevokedAt is null && (Row.ExpiresAt is not { } end || end > now);

    /// <summary>Remembers a use; true for the first of its minute.</summary>
    public bool Use(DateTimeOffset now) => Interlocked.Exchange(ref _lastUsedMinute, Minute(now)) != Minute(now);

    /// <summary>Of what an admin can change.</summary>
    public EntityTag Tag() => EntityTag.Of(Row.Id, Row.RevokedAt);

    public AdminTokenView View() => new(
        Row.Id, Row.Name, Row.Role, [.. Scopes.Order()], Row.CreatedAt, Row.ExpiresAt, LastUsedAt, Row.RevokedAt, Row.RevokedBy);

    private static long Minute(DateTimeOffset at) => at.ToUnixTimeSeconds() / 60;

    // A name that this version does not know (the database was used by a later one) opens nothing.
    private static FrozenSet<AdminScope> Parse(string scopes) =>
    [
        .. scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(static name => AdminScopes.TryParse(name, out var scope) ? scope : (AdminScope?)null)
            .OfType<AdminScope>(),
    ];
}
