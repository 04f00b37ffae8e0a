namespace KerberosMessaging.Hosting.Admin;

/// <summary>One page of a list.</summary>
/// <typeparam name="T">What is listed.</typeparam>
/// <param name="Items">The items of this page, in the list's order.</param>
/// <param name="Next" example="AQAAAYvP5WgAABEiM0RVZneImaq7zN3u_w">Pass this as <c>cursor</c> to get the next page; null when this page is the last.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? Next);
