using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;

namespace KerberosMessaging.AuthServer.Tests;

/// <summary>Failed logins as clients meet them; <see cref="Domain.LoginGuardTests"/> has what needs several addresses.</summary>
public sealed class LockoutTests : IAsyncLifetime
{
    private static readonly TimeSpan Lockout = TimeSpan.FromMinutes(15);

    private readonly QuickAccount _alice = new("Alice");
    private TestServer _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        await using var client = await _server.ConnectAsync();
        await _alice.RegisterAsync(client);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Each_failure_after_the_free_ones_doubles_the_wait_until_the_name_is_locked()
    {
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(Answer.Failed, await FailAsync());
        }

        foreach (var seconds in new[] { 1, 2, 4, 8, 16 })
        {
            var wait = TimeSpan.FromSeconds(seconds);
            Assert.Equal(Answer.Wait(wait), await FailAsync());
            PassTime(wait - TimeSpan.FromMilliseconds(1));
            Assert.Equal(Answer.Wait(TimeSpan.FromMilliseconds(1)), await FailAsync());
            PassTime(TimeSpan.FromMilliseconds(1));
            Assert.Equal(Answer.Failed, await FailAsync());
        }

        Assert.Equal(Answer.Wait(Lockout), await FailAsync());
        var blocked = Assert.Single(await _server.AuditAsync(AuditKind.LoginBlocked));
        Assert.Equal($"client {_alice.Client.Value}", blocked.Target);

        // The right password does not help meanwhile, and nobody learns by the answer that it is the right one.
        PassTime(Lockout - TimeSpan.FromMilliseconds(1));
        Assert.Equal((ProtocolError.TooManyRequests, TimeSpan.FromMilliseconds(1)), await LogInAsync());

        PassTime(TimeSpan.FromMilliseconds(1));
        Assert.Equal((null, TimeSpan.Zero), await LogInAsync());
    }

    [Fact]
    public async Task A_lock_that_has_passed_is_there_again_with_the_next_failure()
    {
        await FailUntilLockedAsync();
        for (var i = 0; i < 3; i++)
        {
            PassTime(Lockout);
            Assert.Equal(Answer.Failed, await FailAsync());
            Assert.Equal(Answer.Wait(Lockout), await FailAsync());
        }

        // It was locked once, as far as admins are told.
        Assert.Single(await _server.AuditAsync(AuditKind.LoginBlocked));
    }

    [Fact]
    public async Task The_name_is_one_in_whatever_form_it_is_written()
    {
        foreach (var name in new[] { "Alice", "alice", "ALICE", "ＡＬＩＣＥ", "aLiCe" })
        {
            Assert.Equal(Answer.Failed, await Guess.FailAsync(_server, name));
        }

        Assert.Equal(Answer.Wait(TimeSpan.FromSeconds(1)), await Guess.FailAsync(_server, "alicE"));
    }

    [Fact]
    public async Task Other_names_go_on_from_the_same_address()
    {
        await FailUntilLockedAsync();

        Assert.Equal(Answer.Failed, await Guess.FailAsync(_server, "bob"));
        await using var client = await _server.ConnectAsync();
        var bob = new QuickAccount("bob");
        await bob.RegisterAsync(client);
        Assert.True((await bob.TryLoginAsync(client)).Succeeded);
    }

    [Fact]
    public async Task A_success_lets_the_failures_be_forgotten()
    {
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 4; i++)
            {
                Assert.Equal(Answer.Failed, await FailAsync());
            }

            Assert.Equal((null, TimeSpan.Zero), await LogInAsync());
            await _server.FlushAsync();
            Assert.DoesNotContain(await _server.FailuresAsync(), static row => row.NameHash.Length > 0);
        }
    }

    [Fact]
    public async Task What_is_right_but_for_the_device_is_no_failure()
    {
        await using var client = await _server.ConnectAsync();
        await _alice.LoginAsync(client);
        for (var i = 0; i < 12; i++)
        {
            Assert.Equal(ProtocolError.DeviceRefused, (await _alice.TryLoginAsync(client, new TestDevice(_alice.Device.Id))).Error);
        }

        Assert.Equal((null, TimeSpan.Zero), await LogInAsync());
        Assert.Empty(await _server.FailuresAsync());
    }

    [Fact]
    public async Task A_challenge_that_is_left_unanswered_counts_when_its_connection_ends()
    {
        for (var i = 0; i < 5; i++)
        {
            await using var client = await _server.ConnectAsync();
            await Guess.StartAsync(client, "alice");
        }

        await AssertFailuresAsync(5);
        Assert.Equal(Answer.Wait(TimeSpan.FromSeconds(1)), await FailAsync());
    }

    [Fact]
    public async Task A_challenge_that_is_replaced_by_the_next_counts()
    {
        await using var client = await _server.ConnectAsync();
        for (var i = 0; i < 5; i++)
        {
            await Guess.StartAsync(client, "alice");
        }

        // Four are replaced and counted. The fifth was allowed, and is replaced by the sixth, which has to wait.
        Assert.Equal(Answer.Wait(TimeSpan.FromSeconds(1)), await Guess.FailAsync(client, "alice"));
        await AssertFailuresAsync(5);
    }

    [Fact]
    public async Task A_first_step_that_is_no_group_element_counts()
    {
        await using var client = await _server.ConnectAsync();
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(ProtocolError.LoginFailed, await client.RefusalAsync(new StartLoginRequest("alice", new byte[96])));
        }

        Assert.Equal(Answer.Wait(TimeSpan.FromSeconds(1)), await FailAsync());
    }

    [Fact]
    public async Task A_locked_name_is_not_asked_through_a_registration_either()
    {
        await FailUntilLockedAsync();
        await using var client = await _server.ConnectAsync();

        // A registration would answer the OPRF for the name without counting: it must not, once the name is taken.
        Assert.Equal(
            RegistrationRefusal.NameTaken,
            await client.RegistrationRefusalAsync(new RegisterClientRequest("alice", "", SampleRecord.Element())));
    }

    [Fact]
    public async Task A_burst_gets_as_many_challenges_as_logins_may_be_under_way_and_each_of_them_counts()
    {
        var clients = await Task.WhenAll(Enumerable.Range(0, 80).Select(_ => _server.ConnectAsync()));

        var answers = await Task.WhenAll(clients.Select(static async client =>
        {
            try
            {
                await Guess.StartAsync(client, "alice");
                return (Answer?)null;
            }
            catch (RequestRefusedException e)
            {
                return new Answer(e.Error, e.RetryAfter);
            }
        }));

        Assert.Equal(64, answers.Count(static answer => answer is null));
        Assert.All(answers.Where(static answer => answer is not null), static answer => Assert.Equal(Answer.Wait(TimeSpan.FromSeconds(1)), answer));
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }

        await AssertFailuresAsync(64);
        Assert.Equal(Answer.Wait(Lockout), await FailAsync());
    }

    [Fact]
    public async Task After_the_free_failures_one_login_is_under_way_at_a_time()
    {
        for (var i = 0; i < 5; i++)
        {
            await FailAsync();
        }

        PassTime(TimeSpan.FromSeconds(1));
        await using var first = await _server.ConnectAsync();
        using var proven = await _alice.ProveAsync(first);
        Assert.Equal(Answer.Wait(TimeSpan.FromSeconds(1)), await FailAsync());

        // Whoever was first is not harmed by the others.
        await first.RequestAsync<TicketGranted>(_alice.Device.Finish(proven.Ke3, first.ChannelBinding));
        Assert.Equal((null, TimeSpan.Zero), await LogInAsync());
    }

    [Fact]
    public async Task Failures_and_locks_survive_a_restart()
    {
        for (var i = 0; i < 4; i++)
        {
            await Guess.FailAsync(_server, "bob");
        }

        await FailUntilLockedAsync();
        await using (var unanswered = await _server.ConnectAsync())
        {
            // Its failure is counted because the server stops.
            await Guess.StartAsync(unanswered, "bob");
            await _server.StopAsync();
        }

        PassTime(TimeSpan.FromMinutes(5));
        await _server.StartAgainAsync();

        Assert.Equal(Answer.Wait(TimeSpan.FromMinutes(10)), await FailAsync());
        Assert.Equal(Answer.Failed, await Guess.FailAsync(_server, "bob"));
        Assert.Equal(Answer.Wait(TimeSpan.FromSeconds(2)), await Guess.FailAsync(_server, "bob"));
        PassTime(TimeSpan.FromMinutes(10));
        Assert.Equal((null, TimeSpan.Zero), await LogInAsync());
    }

    [Fact]
    public async Task A_success_is_remembered_over_a_restart()
    {
        for (var i = 0; i < 4; i++)
        {
            await FailAsync();
        }

        Assert.Equal((null, TimeSpan.Zero), await LogInAsync());
        await _server.StopAsync();
        await _server.StartAgainAsync();

        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(Answer.Failed, await FailAsync());
        }
    }

    [Fact]
    public async Task An_admin_clears_a_lock_by_client_by_address_or_by_both()
    {
        var guard = _server.Get<LoginGuard>();
        var cleared = new (Guid? Client, string? Address)[]
        {
            (_alice.Client.Value, null), (null, "127.0.0.1"), (_alice.Client.Value, "127.0.0.1"), (_alice.Client.Value, "::ffff:127.0.0.1"),
        };
        foreach (var (client, address) in cleared)
        {
            await FailUntilLockedAsync();
            Assert.Equal(0, await guard.ClearAsync(Guid.NewGuid(), null, TestServerDomain.Admin, Cancel));
            Assert.Equal(0, await guard.ClearAsync(null, "192.0.2.99", TestServerDomain.Admin, Cancel));
            Assert.Equal(ProtocolError.TooManyRequests, (await FailAsync()).Error);

            Assert.InRange(await guard.ClearAsync(client, address, TestServerDomain.Admin, Cancel), 1, 2);

            Assert.Equal((null, TimeSpan.Zero), await LogInAsync());
            for (var i = 0; i < 5; i++)
            {
                Assert.Equal(Answer.Failed, await FailAsync());
            }

            await guard.ClearAsync(null, null, TestServerDomain.Admin, Cancel);
        }

        await _server.StopAsync();
        await _server.StartAgainAsync();
        Assert.Equal((null, TimeSpan.Zero), await LogInAsync());
        Assert.Equal(cleared.Length * 4, (await _server.AuditAsync(AuditKind.LockoutCleared)).Count);
    }

    [Fact]
    public async Task A_reset_of_the_password_clears_the_lock()
    {
        await FailUntilLockedAsync();
        var token = await _server.ResetTokenAsync(_alice.Client);
        Assert.Equal(Answer.Wait(Lockout), await FailAsync());
        await using var client = await _server.ConnectAsync();

        await _alice.RegisterAsync(client, token);

        Assert.Equal((null, TimeSpan.Zero), await LogInAsync());
    }

    [Fact]
    public async Task The_wait_before_a_change_of_password_is_the_one_before_a_login()
    {
        await using var client = await _server.ConnectAsync();
        await _alice.LoginAsync(client);
        await FailUntilLockedAsync();

        var refused = await Assert.ThrowsAsync<RequestRefusedException>(() => PasswordChange.StartAsync(client, _alice, "another"));
        Assert.Equal(Answer.Wait(Lockout), new Answer(refused.Error, refused.RetryAfter));
    }

    private Task<Answer> FailAsync() => Guess.FailAsync(_server, "alice");

    private async Task FailUntilLockedAsync()
    {
        for (var i = 0; i < 40; i++)
        {
            var answer = await FailAsync();
            if (answer.RetryAfter == Lockout)
            {
                return;
            }

            PassTime(answer.RetryAfter);
        }

        Assert.Fail("It was never locked.");
    }

    private async Task<(ProtocolError? Error, TimeSpan RetryAfter)> LogInAsync()
    {
        await using var client = await _server.ConnectAsync();
        var outcome = await _alice.TryLoginAsync(client);
        return (outcome.Error, outcome.RetryAfter);
    }

    // Without a word to the timers: open connections stay open.
    private void PassTime(TimeSpan time) => _server.Time.AdjustTime(_server.Time.GetUtcNow() + time);

    private Task AssertFailuresAsync(int failures) => Eventually.TrueAsync(async () =>
    {
        await _server.FlushAsync();
        var rows = await _server.FailuresAsync();
        Assert.True(rows.All(row => row.Failures <= failures));
        return rows.Count == 2 && rows.All(row => row.Failures == failures);
    });
}
