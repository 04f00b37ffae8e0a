using System.Diagnostics;

namespace KerberosMessaging.Hosting.Tests.Wire;

/// <summary>No test waits for ever: what should come at once and does not come is a failure.</summary>
internal static class Wait
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static Task<T> ForAsync<T>(Task<T> task) => task.WaitAsync(Patience, Cancel);

    public static Task ForAsync(Task task) => task.WaitAsync(Patience, Cancel);

    /// <summary>Asks again and again, a little while in between.</summary>
    public static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        var watch = Stopwatch.StartNew();
        while (!await isSo())
        {
            Assert.True(watch.Elapsed < Patience, "It did not come to pass in time.");
            await Task.Delay(20, Cancel);
        }
    }

    public static Task UntilAsync(Func<bool> isSo) => UntilAsync(() => Task.FromResult(isSo()));
}
