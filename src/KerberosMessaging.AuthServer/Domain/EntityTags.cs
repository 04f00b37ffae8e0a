using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Admin;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>The entity tags of what admins change: made of the state that they change, so that a login makes none of them stale.</summary>
internal static class EntityTags
{
    public static EntityTag Tag(this ClientRow row) => EntityTag.Of(row.Id, row.DisabledAt, row.DeletedAt);

    public static EntityTag Tag(this DeviceRow row) => EntityTag.Of(row.ClientId, row.DeviceId, row.RevokedAt);

    public static EntityTag Tag(this SessionRow row) => EntityTag.Of(row.Id, row.RevokedAt);

    public static EntityTag Tag(this OneTimeTokenRow row) => EntityTag.Of(row.Id, row.UsedAt, row.RevokedAt);

    /// <summary>Of a message server, with the newest version of its key and who holds it.</summary>
    public static EntityTag Tag(this MessageServerRow row, uint newestKey) =>
        EntityTag.Of(row.Id, row.DisabledAt, newestKey, row.SigningKey);

    /// <summary>Of failures: whoever clears some should not clear further ones unseen.</summary>
    public static EntityTag Tag(this LoginFailureRow row) => EntityTag.Of(row.Id, row.Failures, row.LastAt);

    /// <summary>Of a key of the realm, by its newest version.</summary>
    public static EntityTag Of(RealmKeyPurpose purpose, uint newest) => EntityTag.Of(purpose, newest);
}
