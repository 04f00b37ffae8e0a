namespace KerberosMessaging.MessageServer.Domain;

/// <summary>What became of a write.</summary>
/// <typeparam name="T">What the store answers.</typeparam>
/// <param name="IsDone">Whether it is on disk; if not, it was not carried out, and trying again later makes sense.</param>
/// <param name="Result">The answer, when it is done.</param>
internal readonly record struct Committed<T>(bool IsDone, T Result);
