namespace KerberosMessaging.Hosting.Tests.Wire;

/// <summary>No test waits for ever: what should come at once and does not come is a failure.</summary>
internal static class Wait
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static Task<T> ForAsync<T>(Task<T> task) => task.WaitAsync(Patience, Cancel);

    public static Task ForAsync(Task task) => task.WaitAsync(Patience, Cancel);
}
