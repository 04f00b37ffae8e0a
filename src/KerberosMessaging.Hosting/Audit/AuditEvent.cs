namespace KerberosMessaging.Hosting.Audit;

/// <summary>How it ended. The numbers are stored.</summary>
public enum AuditResult
{
    /// <summary>It was done.</summary>
    Done = 1,

    /// <summary>It was refused.</summary>
    Refused = 2,
}

/// <summary>A security event, as whoever causes it tells it.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Origin">Who did it, and from where.</param>
/// <param name="Target">What it was done to.</param>
/// <param name="Detail">More, where there is more: never a secret, and never text that a peer chose.</param>
/// <param name="Result">How it ended.</param>
public readonly record struct AuditEvent(
    AuditKind Kind,
    Origin Origin,
    string Target,
    string Detail = "",
    AuditResult Result = AuditResult.Done);
