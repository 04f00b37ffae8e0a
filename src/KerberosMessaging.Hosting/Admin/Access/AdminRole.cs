namespace KerberosMessaging.Hosting.Admin.Access;

/// <summary>A set of scopes with a name.</summary>
public enum AdminRole
{
    /// <summary>Reads everything, changes nothing.</summary>
    Viewer,

    /// <summary>A viewer that changes clients, revokes sessions, purges queues and runs the server.</summary>
    Operator,

    /// <summary>Everything.</summary>
    Admin,
}
