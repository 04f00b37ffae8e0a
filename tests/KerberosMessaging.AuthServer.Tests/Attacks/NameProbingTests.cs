using System.Diagnostics;
using System.Security.Cryptography;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using Microsoft.Extensions.DependencyInjection;

namespace KerberosMessaging.AuthServer.Tests.Attacks;

/// <summary>Somebody wants to know which names exist.</summary>
public sealed class NameProbingTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Logins_under_any_kind_of_name_are_answered_alike_from_the_first_failure_to_the_lockout()
    {
        await using var server = await TestServer.StartAsync();
        var names = await MakeNamesAsync(server);
        var probes = names.ToDictionary(static name => name, static _ => new List<Probe>());
        for (var round = 0; round < 18; round++)
        {
            foreach (var name in names)
            {
                probes[name].Add(await ProbeAsync(server, name));
            }

            // All of them wait together, and to the last millisecond.
            if (probes["known"][^1].RetryAfter is { Ticks: > 0 } wait)
            {
                server.Time.AdjustTime(server.Time.GetUtcNow() + wait - TimeSpan.FromMilliseconds(1));
                foreach (var name in names)
                {
                    probes[name].Add(await ProbeAsync(server, name));
                }

                server.Time.AdjustTime(server.Time.GetUtcNow() + TimeSpan.FromMilliseconds(1));
            }
        }

        // Control: it was failures, waits, and the lockout.
        Assert.Contains(probes["known"], static probe => probe.Error == ProtocolError.LoginFailed);
        Assert.Contains(probes["known"], static probe => probe.RetryAfter == TimeSpan.FromSeconds(1));
        Assert.Contains(probes["known"], static probe => probe.RetryAfter == TimeSpan.FromMinutes(15));
        foreach (var name in names)
        {
            Assert.Equal(probes["known"], probes[name]);
        }
    }

    [Fact]
    public async Task A_disabled_client_is_told_so_only_with_its_password()
    {
        await using var server = await TestServer.StartAsync();
        var (account, ticket, client) = await server.SignUpQuickAsync("alice");
        await client.DisposeAsync();
        Assert.Equal(AdminChange.Done, await server.AdministerAsync(administration =>
            administration.DisableAsync(account.Client.Value, Precondition.None, TestServerDomain.Admin, Cancel)));

        await using var later = await server.ConnectAsync();
        Assert.Equal(Answer.Failed, await Guess.FailAsync(later, "alice"));
        Assert.Equal(ProtocolError.ClientDisabled, (await account.TryLoginAsync(later)).Error);
        Assert.Equal(ProtocolError.TicketRefused, await server.TryPresentAsync(ticket));

        await server.AdministerAsync(administration => administration.EnableAsync(account.Client.Value, Precondition.None, TestServerDomain.Admin, Cancel));
        Assert.True((await account.TryLoginAsync(later)).Succeeded);
    }

    [Fact]
    public async Task Starting_a_login_takes_as_long_for_a_name_that_exists_as_for_one_that_does_not()
    {
        const int rounds = 250;
        await using var server = await TestServer.StartAsync(
            "--Lockout:FreeFailures=1000", "--Lockout:LockoutFailures=1000", "--Lockout:FreeFailuresPerAddress=1000000");
        var names = await MakeNamesAsync(server);
        await using var scope = server.App.Services.CreateAsyncScope();
        var logins = scope.ServiceProvider.GetRequiredService<LoginService>();
        using var login = OpaqueClientLogin.Start("guess"u8);
        var ke1 = login.Ke1.ToArray();
        var binding = RandomNumberGenerator.GetBytes(32);
        var origin = Origin.Anonymous("192.0.2.7", "test");
        var times = names.ToDictionary(static name => name, static _ => new List<long>());
        for (var i = 0; i < rounds; i++)
        {
            // Interleaved, so that whatever else the machine does hits all of them alike.
            foreach (var name in names)
            {
                var start = Stopwatch.GetTimestamp();
                var (pending, _) = logins.Start(name, ke1, binding, origin);
                times[name].Add(Stopwatch.GetTimestamp() - start);
                Assert.NotNull(pending);
                pending.Dispose();
            }

            if (i % 50 == 0)
            {
                await server.FlushAsync();
            }
        }

        var medians = times.ToDictionary(static pair => pair.Key, static pair => pair.Value.Order().ElementAt(rounds / 2));
        var known = medians["known"];
        Assert.All(medians, pair => Assert.InRange(pair.Value, known / 2, known * 2));
    }

    // A name of each kind that could be answered differently; all of one length, as a longer name makes longer frames.
    private static async Task<List<string>> MakeNamesAsync(TestServer server)
    {
        await using var client = await server.ConnectAsync();
        await SampleRecord.RegisterAsync(client, "known");
        await SampleRecord.RegisterAsync(client, "other");
        var disabled = await SampleRecord.RegisterAsync(client, "disab");
        var deleted = await SampleRecord.RegisterAsync(client, "delet");
        var reset = await SampleRecord.RegisterAsync(client, "reset");
        await server.AdministerAsync(administration => administration.DisableAsync(disabled.Client.Value, Precondition.None, TestServerDomain.Admin, Cancel));
        await server.AdministerAsync(administration => administration.DeleteAsync(deleted.Client.Value, Precondition.None, TestServerDomain.Admin, Cancel));
        await server.ResetTokenAsync(reset.Client);
        var changed = await SampleRecord.RegisterAsync(client, "chang");
        await server.ReadAsync(database =>
        {
            database.Clients.Single(row => row.Id == changed.Client.Value).PreviousKeys = RandomNumberGenerator.GetBytes(112);
            return database.SaveChangesAsync(Cancel);
        });
        return ["known", "other", "disab", "delet", "reset", "chang", "nobod", "a b c", "OTHE2", "\u0430\u0430a"];
    }

    // One try to log in on a connection of its own, seen from the path and from the client.
    private static async Task<Probe> ProbeAsync(TestServer server, string name)
    {
        await using var proxy = new RecordingProxy(server.Port);
        await using var client = await server.ConnectAsync(proxy.Port);
        var answer = await Guess.FailAsync(client, name);
        return new Probe(
            answer.Error,
            answer.RetryAfter,
            string.Join(' ', RecordingProxy.Frames(proxy.FromServer).Select(static frame => $"{frame.Header.Code}:{frame.Payload.Length}")));
    }

    private sealed record Probe(ProtocolError Error, TimeSpan RetryAfter, string Frames);
}
