namespace KerberosMessaging.Hosting.Audit;

/// <summary>A security event. Rows are added and never changed; each is chained to the one before by its hash.</summary>
public sealed class AuditRow
{
    /// <summary>1, 2, 3 and so on, without gaps.</summary>
    public long Sequence { get; init; }

    /// <summary>When it happened, to the millisecond.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>What happened.</summary>
    public AuditKind Kind { get; init; }

    /// <summary>How it ended.</summary>
    public AuditResult Result { get; init; }

    /// <summary>Who did it: <c>client ID</c>, <c>server ID</c>, <c>admin NAME</c>, <c>anonymous</c> or <c>system</c>.</summary>
    public required string Actor { get; init; }

    /// <summary>The IP address that it came from; empty for the server itself.</summary>
    public required string Address { get; init; }

    /// <summary>What it was done to, such as <c>session ID</c>.</summary>
    public required string Target { get; init; }

    /// <summary>More, where there is more; never a secret, never text of a peer's own.</summary>
    public required string Detail { get; init; }

    /// <summary>Joins what happened in one connection or one admin request.</summary>
    public required string Correlation { get; init; }

    /// <summary>HMAC-SHA-256 over the row and the hash before it.</summary>
    public required byte[] Hash { get; set; }
}

/// <summary>Where the audit log ends, so that rows cut off at its end are missed.</summary>
public sealed class AuditHeadRow
{
    /// <summary>The one row's id.</summary>
    public const int OnlyId = 1;

    /// <summary>Always <see cref="OnlyId"/>.</summary>
    public int Id { get; init; } = OnlyId;

    /// <summary>The last row's number.</summary>
    public long Sequence { get; set; }

    /// <summary>The proof of it, see <see cref="AuditChain.HeadMac"/>.</summary>
    public required byte[] Mac { get; set; }
}
