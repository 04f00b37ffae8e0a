namespace KerberosMessaging.Hosting.Admin;

/// <summary>What came of a change that an admin asked for.</summary>
public enum AdminChange
{
    /// <summary>It is as asked for, by this change or by one before.</summary>
    Done,

    /// <summary>There is no such thing.</summary>
    Unknown,

    /// <summary>It is not any more what the admin had seen; nothing was changed.</summary>
    Stale,
}
