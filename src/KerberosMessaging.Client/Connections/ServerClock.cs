namespace KerberosMessaging.Client.Connections;

/// <summary>
/// The realm's time as far as this client knows it: its own clock plus the difference seen at the last handshake. Only
/// servers judge tickets; this decides merely when to renew them, so the client's own clock may be wrong by any amount.
/// </summary>
internal sealed class ServerClock(TimeProvider time)
{
    private long _offsetTicks;

    public DateTimeOffset Now => time.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref _offsetTicks));

    public void Learn(DateTimeOffset serverTime) =>
        Interlocked.Exchange(ref _offsetTicks, (serverTime - time.GetUtcNow()).Ticks);
}
