namespace KerberosMessaging.Hosting.Admin.Access;

/// <summary>A set of scopes with a name. The numbers are stored.</summary>
public enum AdminRole
{
    /// <summary>Reads everything, changes nothing.</summary>
    Viewer = 1,

    /// <summary>A viewer that changes clients, revokes sessions, purges queues and runs the server.</summary>
    Operator = 2,

    /// <summary>Everything.</summary>
    Admin = 3,
}
