using System.Text;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Hosting.Audit;

namespace KerberosMessaging.AuthServer.Tests.Domain;

public sealed class LoginGuardMemoryTests
{
    // One address or two make the table full at an even or at an odd number of entries.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Of_more_names_than_there_is_room_for_those_that_failed_longest_ago_are_forgotten(int addresses)
    {
        const int names = 110_000;
        await using var server = await TestServer.StartAsync(
            "--Lockout:FreeFailures=1", "--Lockout:FirstDelay=01:00:00", "--Lockout:LongestDelay=01:00:00", "--Lockout:FreeFailuresPerAddress=1000000");
        var guard = server.Get<LoginGuard>();
        for (var i = 0; i < names; i++)
        {
            var attempt = guard.Begin(Name(i), null, From(i), out _);
            Assert.NotNull(attempt);

            // Counted, and not written down: that would take minutes.
            guard.Failed(attempt);
            if (i % 100 == 0)
            {
                server.Time.AdjustTime(server.Time.GetUtcNow().AddMilliseconds(1));
            }
        }

        Assert.Null(WaitOf(0));
        Assert.Null(WaitOf(1000));
        Assert.NotNull(WaitOf(names - 50_000));
        Assert.NotNull(WaitOf(names - 1));

        TimeSpan? WaitOf(int name)
        {
            using var attempt = guard.Begin(Name(name), null, From(name), out var wait);
            return wait;
        }

        Origin From(int name) => Origin.Anonymous($"192.0.2.{name % addresses}", "test");

        static byte[] Name(int name) => Encoding.UTF8.GetBytes($"name-{name}");
    }
}
