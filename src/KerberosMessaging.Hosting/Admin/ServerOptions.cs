namespace KerberosMessaging.Hosting.Admin;

/// <summary>The sections of options that a server reads.</summary>
/// <param name="All">Name and options class of each.</param>
public sealed record ServerOptions(IReadOnlyList<(string Section, Type Options)> All);
