using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.MessageServer.Tests.Support;

/// <summary>Waits for what has no signal of its own.</summary>
internal static class Until
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(10);

    /// <summary>Asks again and again until the answer is yes; the test's own time limit ends it.</summary>
    public static async Task TrueAsync(Func<bool> isTrue, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Interval);
        while (!isTrue())
        {
            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }

    /// <summary>Lets time pass until the answer is yes.</summary>
    public static Task PassesAsync(this FakeTimeProvider time, TimeSpan step, Func<bool> isTrue, CancellationToken cancellationToken) =>
        TrueAsync(
            () =>
            {
                if (isTrue())
                {
                    return true;
                }

                time.Advance(step);
                return false;
            },
            cancellationToken);

    /// <summary>Lets time pass until something is done.</summary>
    public static async Task<T> PassesAsync<T>(this FakeTimeProvider time, TimeSpan step, Task<T> task, CancellationToken cancellationToken)
    {
        await time.PassesAsync(step, () => task.IsCompleted, cancellationToken);
        return await task;
    }
}
