namespace KerberosMessaging.Hosting.Admin;

/// <summary>The last row of the page before, in a list sorted by a text and then identifier.</summary>
/// <param name="SortKey">The row's text.</param>
/// <param name="Id">The row's identifier.</param>
public readonly record struct PageKeyPosition(string SortKey, Guid Id);
