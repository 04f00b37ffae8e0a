namespace KerberosMessaging.Hosting.Admin.Jobs;

/// <summary>How far a job is.</summary>
public enum JobState
{
    /// <summary>It waits for others.</summary>
    Queued,

    /// <summary>It works.</summary>
    Running,

    /// <summary>It ended as it should.</summary>
    Done,

    /// <summary>It ended before its time; what it had done by then stays done.</summary>
    Failed,

    /// <summary>An admin ended it, or the server's stop; what it had done by then stays done.</summary>
    Aborted,
}
