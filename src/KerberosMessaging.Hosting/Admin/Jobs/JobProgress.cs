namespace KerberosMessaging.Hosting.Admin.Jobs;

/// <summary>How far a job is, as its work tells.</summary>
public sealed class JobProgress
{
    private long _done;
    private long _total = -1;

    /// <summary>How many are done.</summary>
    public long Done => Interlocked.Read(ref _done);

    /// <summary>How many there are; null while that is not known.</summary>
    public long? Total => Interlocked.Read(ref _total) is >= 0 and var total ? total : null;

    /// <summary>Tells how many there are.</summary>
    /// <param name="total">The number.</param>
    public void SetTotal(long total) => Interlocked.Exchange(ref _total, total);

    /// <summary>Tells that further ones are done.</summary>
    /// <param name="count">How many.</param>
    public void Add(long count) => Interlocked.Add(ref _done, count);
}
