using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.MessageServer.Tests.Support;

/// <summary>Waits for what has no signal of its own.</summary>
internal static class Until
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(10);

    /// <summary>Longer than anything takes on a busy machine that works.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    /// <summary>Asks again and again until the answer is yes.</summary>
    /// <exception cref="TimeoutException">It never was.</exception>
    public static Task TrueAsync(Func<bool> isTrue, CancellationToken cancellationToken) =>
        TrueAsync(() => ValueTask.FromResult(isTrue()), cancellationToken);

    /// <summary>Asks again and again until the answer is yes.</summary>
    /// <exception cref="TimeoutException">It never was.</exception>
    public static async Task TrueAsync(Func<ValueTask<bool>> isTrue, CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        using var timer = new PeriodicTimer(Interval);
        while (!await isTrue())
        {
            if (TimeProvider.System.GetElapsedTime(started) > Deadline)
            {
                throw new TimeoutException("What was waited for never came.");
            }

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
