namespace KerberosMessaging.Hosting.Audit;

/// <summary>Which rows are asked for; what is null filters nothing.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Actor">Part of who did it.</param>
/// <param name="Target">Part of what it was done to, or of the detail.</param>
/// <param name="Address">Where it came from.</param>
/// <param name="Result">How it ended.</param>
/// <param name="From">Not before this time.</param>
/// <param name="To">Before this time.</param>
/// <param name="Correlation">What it belongs to.</param>
public sealed record AuditFilter(
    AuditKind? Kind = null,
    string? Actor = null,
    string? Target = null,
    string? Address = null,
    AuditResult? Result = null,
    DateTimeOffset? From = null,
    DateTimeOffset? To = null,
    string? Correlation = null)
{
    /// <summary>The rows of these that are asked for.</summary>
    /// <param name="rows">All rows.</param>
    public IQueryable<AuditRow> Apply(IQueryable<AuditRow> rows)
    {
        rows = Kind is { } kind ? rows.Where(row => row.Kind == kind) : rows;
        rows = Actor is { } actor ? rows.Where(row => row.Actor.Contains(actor)) : rows;
        rows = Target is { } target ? rows.Where(row => row.Target.Contains(target) || row.Detail.Contains(target)) : rows;
        rows = Address is { } address ? rows.Where(row => row.Address == address) : rows;
        rows = Result is { } result ? rows.Where(row => row.Result == result) : rows;
        rows = From is { } from ? rows.Where(row => row.At >= from) : rows;
        rows = To is { } to ? rows.Where(row => row.At < to) : rows;
        return Correlation is { } correlation ? rows.Where(row => row.Correlation == correlation) : rows;
    }
}
