namespace KerberosMessaging.Hosting.Admin;

/// <summary>The answer of a health endpoint when all is well.</summary>
/// <param name="Status" example="ready">In one word: <c>live</c> or <c>ready</c>.</param>
internal sealed record HealthReply(string Status);
