namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// Keeps the log readable while a disk fails: the first failure is told at once, and what goes on is told now and then with how
/// many there were.
/// </summary>
internal sealed class FailureReports(TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private long? _toldAt;
    private int _untold;

    /// <summary>Counts a failure.</summary>
    /// <param name="untold">How many there were since the last that was told, when this one is to be told.</param>
    /// <returns>Whether to tell this one.</returns>
    public bool Add(out int untold)
    {
        lock (_lock)
        {
            untold = _untold;
            if (_toldAt is { } at && time.GetElapsedTime(at) < Interval)
            {
                _untold++;
                return false;
            }

            _untold = 0;
            _toldAt = time.GetTimestamp();
            return true;
        }
    }
}
