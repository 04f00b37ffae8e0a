namespace KerberosMessaging.MessageServer.Domain;

/// <summary>What became of a fetch of prekeys.</summary>
/// <param name="RetryAfter">Not zero when the requester fetched too often: when it may again. Nothing was taken.</param>
/// <param name="Taken">Otherwise, what was committed; its result is null when no device of the client is known.</param>
internal readonly record struct PrekeyFetch(TimeSpan RetryAfter, Committed<IReadOnlyList<DevicePrekeys>?> Taken);
