namespace KerberosMessaging.Hosting.Admin.Jobs;

/// <summary>Long work that an admin asked for.</summary>
/// <param name="Id" example="5e1f0c3a-8b47-4d92-a6c1-3f7e9b20d584">The job's id.</param>
/// <param name="Kind" example="purge">What it does.</param>
/// <param name="Target" example="mailbox c2f8d9a1-7b3e-4c56-b0a4-5e6d7f8091a2">What it does it to.</param>
/// <param name="State" example="running">Queued, running, done, failed or aborted.</param>
/// <param name="Done" example="1200">How many are done.</param>
/// <param name="Total" example="5000">How many there are; null while that is not known.</param>
/// <param name="StartedAt" example="2026-05-04T08:15:30Z">When an admin asked for it.</param>
/// <param name="EndedAt" example="2026-05-04T08:15:42Z">When it ended; null until then.</param>
/// <param name="Error" example="The job failed; the server's log says more.">Why it failed; null unless it did.</param>
public sealed record JobView(
    Guid Id,
    string Kind,
    string Target,
    JobState State,
    long Done,
    long? Total,
    DateTimeOffset StartedAt,
    DateTimeOffset? EndedAt,
    string? Error);
