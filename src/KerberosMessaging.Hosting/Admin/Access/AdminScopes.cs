using System.Collections.Frozen;
using System.Reflection;
using System.Text.Json.Serialization;

namespace KerberosMessaging.Hosting.Admin.Access;

/// <summary>The names of scopes, and the scopes of roles.</summary>
public static class AdminScopes
{
    private static readonly FrozenDictionary<AdminScope, string> Names = Enum.GetValues<AdminScope>().ToFrozenDictionary(
        static scope => scope,
        static scope => typeof(AdminScope).GetField(scope.ToString())!.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()!.Name);

    private static readonly FrozenDictionary<string, AdminScope> ByName = Names.ToFrozenDictionary(
        static pair => pair.Value, static pair => pair.Key, StringComparer.Ordinal);

    /// <summary>Every scope.</summary>
    public static FrozenSet<AdminScope> All { get; } = [.. Enum.GetValues<AdminScope>()];

    private static FrozenSet<AdminScope> Viewer { get; } =
        [AdminScope.ClientsRead, AdminScope.QueuesRead, AdminScope.AuditRead, AdminScope.MetricsRead];

    private static FrozenSet<AdminScope> Operator { get; } =
        [.. Viewer, AdminScope.ClientsWrite, AdminScope.SessionsRevoke, AdminScope.QueuesPurge, AdminScope.Ops];

    /// <summary>The name of a scope, such as <c>clients:read</c>.</summary>
    /// <param name="scope">The scope.</param>
    public static string NameOf(AdminScope scope) => Names[scope];

    /// <summary>Reads the name of a scope.</summary>
    /// <param name="name">The name, in small letters.</param>
    /// <param name="scope">The scope.</param>
    public static bool TryParse(string name, out AdminScope scope) => ByName.TryGetValue(name, out scope);

    /// <summary>The scopes of a role.</summary>
    /// <param name="role">The role.</param>
    public static FrozenSet<AdminScope> Of(AdminRole role) => role switch
    {
        AdminRole.Viewer => Viewer,
        AdminRole.Operator => Operator,
        _ => All,
    };
}
