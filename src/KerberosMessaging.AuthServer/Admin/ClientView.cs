namespace KerberosMessaging.AuthServer.Admin;

/// <summary>A client of the realm.</summary>
/// <param name="Id" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client's id.</param>
/// <param name="Name" example="alice">The name as registered; empty once deleted.</param>
/// <param name="CreatedAt" example="2026-05-04T08:15:30Z">When it registered.</param>
/// <param name="LastSeenAt" example="2026-05-30T07:55:00Z">When it registered, or later logged in or renewed, to the minute.</param>
/// <param name="DisabledAt" example="2026-06-01T12:00:00Z">When it was disabled; null while it may log in.</param>
/// <param name="DeletedAt" example="2026-06-02T12:00:00Z">When it was deleted; null while it was not.</param>
/// <param name="HomeServerId" example="7d3e9a52-04bf-4c18-9e61-2f8a5b0c6d97">The message server that holds its mailboxes; null while it has none.</param>
/// <param name="Devices" example="1">How many active devices it has.</param>
internal sealed record ClientView(
    Guid Id,
    string Name,
    DateTimeOffset CreatedAt,
    DateTimeOffset LastSeenAt,
    DateTimeOffset? DisabledAt,
    DateTimeOffset? DeletedAt,
    Guid? HomeServerId,
    int Devices);

/// <summary>A client with its active devices and its living sessions.</summary>
/// <param name="Id" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client's id.</param>
/// <param name="Name" example="alice">The name as registered; empty once deleted.</param>
/// <param name="CreatedAt" example="2026-05-04T08:15:30Z">When it registered.</param>
/// <param name="LastSeenAt" example="2026-05-30T07:55:00Z">When it registered, or later logged in or renewed, to the minute.</param>
/// <param name="PasswordChangedAt" example="2026-05-20T16:00:00Z">When its password was last set.</param>
/// <param name="DisabledAt" example="2026-06-01T12:00:00Z">When it was disabled; null while it may log in.</param>
/// <param name="DeletedAt" example="2026-06-02T12:00:00Z">When it was deleted; null while it was not.</param>
/// <param name="HomeServerId" example="7d3e9a52-04bf-4c18-9e61-2f8a5b0c6d97">The message server that holds its mailboxes; null while it has none.</param>
/// <param name="Devices">Its active devices, oldest first.</param>
/// <param name="LivingSessions" example="2">How many sessions are neither revoked nor expired.</param>
/// <param name="Sessions">The newest of them, at most 50; the list of sessions has all.</param>
internal sealed record ClientDetailView(
    Guid Id,
    string Name,
    DateTimeOffset CreatedAt,
    DateTimeOffset LastSeenAt,
    DateTimeOffset PasswordChangedAt,
    DateTimeOffset? DisabledAt,
    DateTimeOffset? DeletedAt,
    Guid? HomeServerId,
    IReadOnlyList<DeviceView> Devices,
    int LivingSessions,
    IReadOnlyList<SessionView> Sessions);
