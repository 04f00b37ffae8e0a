namespace KerberosMessaging.Hosting.Audit;

/// <summary>What a check of the whole audit log found.</summary>
/// <param name="Rows">How many rows were read.</param>
/// <param name="BrokenAt">The first row that is missing or changed; null when every row and the end are as they were written.</param>
/// <param name="Head">The hash of the last row: two exports can be compared by it.</param>
public sealed record AuditVerification(long Rows, long? BrokenAt, byte[] Head);
