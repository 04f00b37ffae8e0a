namespace KerberosMessaging.MessageServer.Realm;

/// <summary>
/// How long to wait before the next try: longer each time, and never quite as long as anybody else, so that a thousand
/// servers do not come back to an auth server in the same moment.
/// </summary>
internal sealed class ReconnectDelay(Random random)
{
    public static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(200);
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    // The most that the next one can be.
    private TimeSpan _ceiling = Shortest * 2;

    /// <summary>The next delay: between half and the whole of what doubles at each call.</summary>
    public TimeSpan Next()
    {
        var delay = _ceiling * (0.5 + (random.NextDouble() / 2));
        _ceiling = _ceiling * 2 < Longest ? _ceiling * 2 : Longest;
        return delay;
    }

    /// <summary>Starts over with short delays: a try succeeded.</summary>
    public void Reset() => _ceiling = Shortest * 2;
}
