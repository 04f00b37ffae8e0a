using System.Text.Json.Serialization;

namespace KerberosMessaging.Hosting.Admin.Access;

/// <summary>What a token may do. Tokens keep the names, so a name never changes its meaning.</summary>
public enum AdminScope
{
    /// <summary>Read clients, devices, sessions, invites, lockouts and connections.</summary>
    [JsonStringEnumMemberName("clients:read")]
    ClientsRead,

    /// <summary>Change clients, devices, invites and lockouts.</summary>
    [JsonStringEnumMemberName("clients:write")]
    ClientsWrite,

    /// <summary>Revoke sessions.</summary>
    [JsonStringEnumMemberName("sessions:revoke")]
    SessionsRevoke,

    /// <summary>Read queues, metadata of mailboxes, prekey stocks of devices, and blobs.</summary>
    [JsonStringEnumMemberName("queues:read")]
    QueuesRead,

    /// <summary>Purge and expire mailboxes.</summary>
    [JsonStringEnumMemberName("queues:purge")]
    QueuesPurge,

    /// <summary>Rotate keys.</summary>
    [JsonStringEnumMemberName("keys:rotate")]
    KeysRotate,

    /// <summary>List, export and check the audit log.</summary>
    [JsonStringEnumMemberName("audit:read")]
    AuditRead,

    /// <summary>Run the server: drain, kick, limits, configuration, log level, jobs, backups, message servers.</summary>
    [JsonStringEnumMemberName("ops")]
    Ops,

    /// <summary>Read figures without personal data: statistics, metrics, message servers, ages of keys.</summary>
    [JsonStringEnumMemberName("metrics:read")]
    MetricsRead,

    /// <summary>List, make and revoke admin tokens.</summary>
    [JsonStringEnumMemberName("tokens:manage")]
    TokensManage,
}
