namespace KerberosMessaging.Client.Tests.Support;

/// <summary>Waits for what has no signal of its own.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    /// <summary>Asks again and again until the answer is yes; the test's own time limit ends it.</summary>
    public static async Task TrueAsync(Func<Task<bool>> isTrue, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Interval);
        while (!await isTrue())
        {
            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }

    public static Task TrueAsync(Func<bool> isTrue, CancellationToken cancellationToken) =>
        TrueAsync(() => Task.FromResult(isTrue()), cancellationToken);
}
