using System.Text;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Hosting.Audit;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Tests.Domain;

/// <summary>Who has to wait for whom, with addresses that no test on one machine could connect from.</summary>
public sealed class LoginGuardTests : IAsyncLifetime
{
    private const string Name = "alice";

    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Lockout = TimeSpan.FromMinutes(15);

    private TestServer _server = null!;
    private QuickAccount _alice = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private LoginGuard Guard => _server.Get<LoginGuard>();

    // The client has logged in from 127.0.0.1.
    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        (_alice, _, var client) = await _server.SignUpQuickAsync(Name);
        await client.DisposeAsync();
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public void An_address_that_is_locked_out_locks_nobody_else_out()
    {
        LockOut(Name, "192.0.2.1");

        Assert.Equal(Lockout, WaitOf(Name, "192.0.2.1"));
        Assert.Null(WaitOf(Name, "192.0.2.2"));
        Assert.Null(WaitOf(Name, "127.0.0.1"));
        Assert.Null(WaitOf(Name, "2001:db8::1"));
        Assert.Null(WaitOf("bob", "192.0.2.1"));
    }

    [Fact]
    public void One_address_never_locks_a_name_for_others_however_long_it_goes_on()
    {
        for (var i = 0; i < 500; i++)
        {
            var wait = TryAndFail(Name, "192.0.2.1");
            Assert.Null(WaitOf(Name, "192.0.2.2"));
            Assert.Null(WaitOf(Name, "127.0.0.1"));
            PassTime(wait ?? TimeSpan.Zero);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Many_locked_addresses_lock_the_name_for_strangers_and_for_none_that_its_client_came_from(bool exists)
    {
        var name = exists ? Name : "nobody";
        for (var i = 1; i <= 9; i++)
        {
            LockOut(name, $"192.0.2.{i}");
        }

        Assert.Null(WaitOf(name, "198.51.100.1"));
        LockOut(name, "192.0.2.10");

        // Until the first of the locks has passed.
        var wait = WaitOf(name, "198.51.100.1");
        Assert.NotNull(wait);
        Assert.InRange(wait.Value, TimeSpan.FromSeconds(1), Lockout);
        Assert.Equal(exists ? null : wait, WaitOf(name, "127.0.0.1"));
        Assert.Null(WaitOf("bob", "198.51.100.1"));

        PassTime(wait.Value - TimeSpan.FromMilliseconds(1));
        Assert.Equal(TimeSpan.FromMilliseconds(1), WaitOf(name, "198.51.100.1"));
        PassTime(TimeSpan.FromMilliseconds(1));
        Assert.Null(WaitOf(name, "198.51.100.1"));
    }

    [Fact]
    public void Whoever_is_locked_out_itself_waits_for_its_own_lock_first()
    {
        for (var i = 1; i <= 10; i++)
        {
            LockOut(Name, $"192.0.2.{i}");
        }

        Assert.Equal(Lockout, WaitOf(Name, "192.0.2.10"));
    }

    [Fact]
    public void Failures_short_of_a_lock_do_not_add_up_over_addresses()
    {
        for (var i = 1; i <= 200; i++)
        {
            for (var j = 0; j < 5; j++)
            {
                Assert.Null(TryAndFail(Name, $"10.0.0.{i}"));
            }
        }

        Assert.Null(WaitOf(Name, "198.51.100.1"));
    }

    [Fact]
    public void An_address_that_its_client_came_from_is_locked_out_by_its_own_failures_alone()
    {
        LockOut(Name, "127.0.0.1");

        Assert.Equal(Lockout, WaitOf(Name, "127.0.0.1"));
        Assert.Null(WaitOf(Name, "192.0.2.1"));
    }

    [Theory]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true)]
    [InlineData("2001:db8:1:2::1", "2001:0DB8:0001:0002:0000::", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("::ffff:192.0.2.1", "192.0.2.1", true)]
    [InlineData("::ffff:192.0.2.1", "::ffff:192.0.2.2", false)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    public void An_IPv6_network_counts_as_one_address(string first, string second, bool isOne)
    {
        LockOut(Name, first);

        Assert.Equal(isOne ? (TimeSpan?)Lockout : null, WaitOf(Name, second));
        Assert.Equal(isOne, AddressGroup.Of(first) == AddressGroup.Of(second));
    }

    [Fact]
    public void Addresses_of_one_IPv6_network_are_one_of_many()
    {
        for (var i = 1; i <= 15; i++)
        {
            LockOut(Name, $"2001:db8::{i:x}");
        }

        Assert.Null(WaitOf(Name, "198.51.100.1"));
    }

    [Fact]
    public async Task A_known_address_is_known_as_long_as_its_session_is_kept()
    {
        for (var i = 1; i <= 10; i++)
        {
            LockOut(Name, $"192.0.2.{i}");
        }

        Assert.Null(WaitOf(Name, "127.0.0.1"));
        await _server.ReadAsync(static database => database.Sessions.ExecuteDeleteAsync(Cancel));
        Assert.NotNull(WaitOf(Name, "127.0.0.1"));
    }

    [Fact]
    public void Another_client_s_address_is_a_stranger_s()
    {
        for (var i = 1; i <= 10; i++)
        {
            LockOut("bob", $"192.0.2.{i}");
        }

        using var attempt = Guard.Begin("bob"u8, Guid.NewGuid(), From("127.0.0.1"), out var wait);
        Assert.Null(attempt);
        Assert.NotNull(wait);
    }

    [Fact]
    public void A_success_clears_its_own_pair_alone()
    {
        for (var i = 0; i < 4; i++)
        {
            TryAndFail(Name, "192.0.2.1");
            TryAndFail(Name, "192.0.2.2");
            TryAndFail("bob", "192.0.2.1");
        }

        Succeed(Name, "192.0.2.1");

        Assert.Equal((null, FirstDelay), (TryAndFail(Name, "192.0.2.2"), WaitOf(Name, "192.0.2.2")));
        Assert.Equal((null, FirstDelay), (TryAndFail("bob", "192.0.2.1"), WaitOf("bob", "192.0.2.1")));
        for (var i = 0; i < 5; i++)
        {
            Assert.Null(TryAndFail(Name, "192.0.2.1"));
        }
    }

    [Fact]
    public void An_address_that_fails_under_ever_new_names_has_to_wait_too_but_never_for_long()
    {
        for (var i = 0; i < 200; i++)
        {
            Assert.Null(TryAndFail($"name-{i}", "192.0.2.1"));
        }

        for (var (i, expected) = (0, FirstDelay); i < 20; i++)
        {
            Assert.Equal(expected, WaitOf($"other-{i}", "192.0.2.1"));
            PassTime(expected);
            Assert.Null(TryAndFail($"other-{i}", "192.0.2.1"));
            expected = expected * 2 < TimeSpan.FromMinutes(1) ? expected * 2 : TimeSpan.FromMinutes(1);
        }

        Assert.Null(WaitOf("name-1", "192.0.2.2"));

        // A success under one name says nothing of the others.
        PassTime(TimeSpan.FromMinutes(1));
        Succeed(Name, "192.0.2.1");
        TryAndFail("yet another", "192.0.2.1");
        Assert.Equal(TimeSpan.FromMinutes(1), WaitOf("and another", "192.0.2.1"));
    }

    [Fact]
    public void Attempts_under_way_are_limited_per_address_under_whatever_names()
    {
        var attempts = Enumerable.Range(0, 200)
            .Select(i => Guard.Begin(Encoding.UTF8.GetBytes($"name-{i}"), null, From("192.0.2.1"), out _))
            .ToList();
        Assert.DoesNotContain(null, attempts);

        Assert.Equal(FirstDelay, WaitOf("one more", "192.0.2.1"));
        attempts[0]!.Succeed();
        Assert.Null(WaitOf("one more", "192.0.2.1"));
        attempts.ForEach(static attempt => attempt!.Dispose());
    }

    [Fact]
    public void An_attempt_counts_once_however_it_is_ended()
    {
        for (var i = 0; i < 4; i++)
        {
            var attempt = Guard.Begin(Encoding.UTF8.GetBytes(Name), null, From("192.0.2.1"), out _)!;
            attempt.Dispose();
            attempt.Dispose();
            attempt.Succeed();
        }

        Assert.Null(TryAndFail(Name, "192.0.2.1"));
        Assert.Equal(FirstDelay, WaitOf(Name, "192.0.2.1"));
    }

    [Fact]
    public async Task Failures_are_forgotten_a_day_after_the_last_one()
    {
        for (var i = 0; i < 5; i++)
        {
            TryAndFail(Name, "192.0.2.1");
        }

        PassTime(TimeSpan.FromDays(1));
        await Guard.SweepAsync(Cancel);
        Assert.NotEmpty(await _server.FailuresAsync());
        Assert.Null(TryAndFail(Name, "192.0.2.1"));
        Assert.Equal(2 * FirstDelay, WaitOf(Name, "192.0.2.1"));

        PassTime(TimeSpan.FromDays(1) + TimeSpan.FromMilliseconds(1));
        await Guard.SweepAsync(Cancel);
        Assert.Empty(await _server.FailuresAsync());
        Assert.Null(TryAndFail(Name, "192.0.2.1"));
        Assert.Null(WaitOf(Name, "192.0.2.1"));
    }

    [Fact]
    public async Task What_is_cleared_while_an_attempt_is_under_way_counts_from_then_on()
    {
        for (var i = 0; i < 4; i++)
        {
            TryAndFail(Name, "192.0.2.1");
        }

        using (Guard.Begin(Encoding.UTF8.GetBytes(Name), _alice.Client.Value, From("192.0.2.1"), out _))
        {
            await Guard.ClearAsync(_alice.Client.Value, null, TestServerDomain.Admin, Cancel);
        }

        for (var i = 0; i < 4; i++)
        {
            Assert.Null(TryAndFail(Name, "192.0.2.1"));
        }

        Assert.Equal(FirstDelay, WaitOf(Name, "192.0.2.1"));
    }

    [Fact]
    public async Task What_many_threads_count_is_all_written_down()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(async () =>
        {
            for (var i = 0; i < 20; i++)
            {
                if (Guard.Begin(Encoding.UTF8.GetBytes($"name-{i}"), null, From($"192.0.2.{thread}"), out _) is { } attempt)
                {
                    await attempt.FailAsync(Cancel);
                }
            }
        })));

        var rows = await _server.FailuresAsync();
        Assert.Equal(8, rows.Count(static row => row.NameHash.Length == 0 && row.Failures == 20));
        Assert.Equal(160, rows.Count(static row => row.NameHash.Length == 32 && row.Failures == 1));
    }

    // A wait, where there is one; otherwise the attempt is made and fails.
    private TimeSpan? TryAndFail(string name, string address)
    {
        using var attempt = Guard.Begin(Encoding.UTF8.GetBytes(name), ClientOf(name), From(address), out var wait);
        Assert.Equal(wait is null, attempt is not null);
        return wait;
    }

    private void Succeed(string name, string address)
    {
        using var attempt = Guard.Begin(Encoding.UTF8.GetBytes(name), ClientOf(name), From(address), out _);
        attempt!.Succeed();
    }

    // Asks, and leaves no trace where nothing has failed before.
    private TimeSpan? WaitOf(string name, string address)
    {
        using var attempt = Guard.Begin(Encoding.UTF8.GetBytes(name), ClientOf(name), From(address), out var wait);
        attempt?.Succeed();
        return wait;
    }

    private void LockOut(string name, string address)
    {
        for (var i = 0; i < 30; i++)
        {
            if (TryAndFail(name, address) is { } wait)
            {
                if (wait > TimeSpan.FromMinutes(10))
                {
                    return;
                }

                PassTime(wait);
            }
        }

        Assert.Fail("It was never locked.");
    }

    private Guid? ClientOf(string name) => name == Name ? _alice.Client.Value : null;

    private static Origin From(string address) => Origin.Anonymous(address, "test");

    private void PassTime(TimeSpan time) => _server.Time.AdjustTime(_server.Time.GetUtcNow() + time);
}
