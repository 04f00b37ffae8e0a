using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.EndToEndTests.Support;

internal static class Clocks
{
    /// <summary>Lets time pass, a step at a time, until the answer is yes; the test's own time limit ends it.</summary>
    public static Task PassesAsync(this FakeTimeProvider clock, TimeSpan step, Func<bool> isTrue, CancellationToken cancellationToken) =>
        Eventually.TrueAsync(
            () =>
            {
                if (isTrue())
                {
                    return true;
                }

                clock.Advance(step);
                return false;
            },
            cancellationToken);
}
