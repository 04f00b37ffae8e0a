using CsCheck;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Protocol;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.AuthServer.Tests;

/// <summary>
/// Any order of logins, renewals, logouts, revocations, sweeps and passing time leaves every ticket as good as a model of a
/// few lines says.
/// </summary>
public sealed class SessionModelTests : IAsyncLifetime
{
    private static readonly TimeSpan TicketLife = TimeSpan.FromHours(10);
    private static readonly TimeSpan RenewableLife = TimeSpan.FromDays(7);
    private static readonly TimeSpan Retention = TimeSpan.FromDays(90);
    private static readonly byte[] Binding = new byte[32];

    private static readonly Gen<Step> AnyStep = Gen.Select(
        Gen.Frequency(
            (6, Gen.Const(Kind.Login)),
            (6, Gen.Const(Kind.Renew)),
            (2, Gen.Const(Kind.Logout)),
            (1, Gen.Const(Kind.LogoutEverywhere)),
            (2, Gen.Const(Kind.Revoke)),
            (1, Gen.Const(Kind.RevokeAll)),
            (2, Gen.Const(Kind.Sweep)),
            (4, Gen.Const(Kind.PassMinutes)),
            (4, Gen.Const(Kind.PassHours)),
            (1, Gen.Const(Kind.PassDays))),
        Gen.Int[0, 1000]).Select(static (kind, number) => new Step(kind, number));

    private TestServer _server = null!;
    private int _run;

    private enum Kind
    {
        Login,
        Renew,
        Logout,
        LogoutEverywhere,
        Revoke,
        RevokeAll,
        Sweep,
        PassMinutes,
        PassHours,
        PassDays,
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private TicketService Tickets => _server.Get<TicketService>();

    private DateTimeOffset Now => _server.Time.GetUtcNow();

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public Task Every_ticket_is_as_good_as_the_model_says_after_any_steps() => AnyStep.Array[5, 40].SampleAsync(
        RunAsync, iter: 40, threads: 1, print: static steps => string.Join(", ", steps));

    private async Task RunAsync(Step[] steps)
    {
        var run = Interlocked.Increment(ref _run);
        var accounts = new List<QuickAccount> { new($"alice{run}"), new($"bert{run}") };
        await using (var client = await _server.ConnectAsync())
        {
            foreach (var account in accounts)
            {
                await account.RegisterAsync(client);
            }
        }

        var model = new Model();
        foreach (var step in steps)
        {
            await DoAsync(step, model, accounts);
            foreach (var ticket in model.Tickets)
            {
                using var verified = Verify(ticket.Held);
                Assert.True(ticket.IsGood(Now) == verified is not null, $"{step}: the ticket should be {(ticket.IsGood(Now) ? "good" : "refused")}");
            }
        }
    }

    private async Task DoAsync(Step step, Model model, List<QuickAccount> accounts)
    {
        var account = accounts[step.Number % accounts.Count];
        var ticket = model.Tickets.Count == 0 ? null : model.Tickets[step.Number % model.Tickets.Count];
        switch (step.Kind)
        {
            case Kind.Login:
                await using (var client = await _server.ConnectAsync())
                {
                    var held = await account.LoginAsync(client);
                    var session = new ModelSession(held.Part.Session, account.Client, Now + RenewableLife) { EndsAt = Now + TicketLife };
                    model.Sessions.Add(session);
                    model.Tickets.Add(new ModelTicket(held, session, Now + TicketLife));
                }

                break;
            case Kind.Renew when ticket is not null:
                Assert.Equal(ticket.IsGood(Now), await RenewAsync(ticket, model));
                break;
            case Kind.Logout when ticket is not null:
                await Tickets.LogOutAsync(ticket.Session.Id, ticket.Session.Client, false, TestServerDomain.Admin, Cancel);
                ticket.Session.IsRevoked = true;
                break;
            case Kind.LogoutEverywhere when ticket is not null:
                await Tickets.LogOutAsync(ticket.Session.Id, ticket.Session.Client, true, TestServerDomain.Admin, Cancel);
                model.RevokeAll(ticket.Session.Client);
                break;
            case Kind.Revoke when ticket is not null:
                await _server.RevokeAsync(ticket.Session.Id);
                ticket.Session.IsRevoked = true;
                break;
            case Kind.RevokeAll:
                var expected = model.Sessions.Count(session => session.Client == account.Client && session.IsLiving(Now));
                Assert.Equal((AdminChange.Done, expected), await _server.AdministerAsync(administration =>
                    administration.RevokeSessionsAsync(account.Client.Value, Precondition.None, TestServerDomain.Admin, Cancel)));
                model.RevokeAll(account.Client);
                break;
            case Kind.Sweep:
                await _server.KeepHouseAsync();
                await AssertSweptAsync(model);
                break;
            case Kind.PassMinutes:
                PassTime(TimeSpan.FromMinutes(step.Number % 60));
                break;
            case Kind.PassHours:
                PassTime(TimeSpan.FromHours(step.Number % 12));
                break;
            case Kind.PassDays:
                PassTime(TimeSpan.FromDays(step.Number % 100));
                break;
        }
    }

    private async Task<bool> RenewAsync(ModelTicket ticket, Model model)
    {
        using var verified = Verify(ticket.Held);
        if (verified is null || await Tickets.RenewAsync(verified, TestServerDomain.Admin, Cancel) is not { } grant)
        {
            return false;
        }

        var part = AsReplyPart.TryOpen(grant.SealedPart, ticket.Held.SessionKey, grant.Ticket)!;
        var endsAt = Now + TicketLife < ticket.Session.RenewableUntil ? Now + TicketLife : ticket.Session.RenewableUntil;
        Assert.Equal(endsAt, part.Times.EndsAt);
        ticket.Session.EndsAt = endsAt;
        model.Tickets.Add(new ModelTicket(new TestTicket(grant.Ticket, part), ticket.Session, endsAt));
        return true;
    }

    private VerifiedTicket? Verify(TestTicket ticket) => Tickets.Verify(
        ticket.Bytes,
        Authenticator.For(Binding).Seal(ticket.SessionKey, MessageCode.RenewTicket),
        MessageCode.RenewTicket,
        Binding);

    private async Task AssertSweptAsync(Model model)
    {
        var rows = (await _server.SessionsAsync()).Select(static row => row.Id).ToHashSet();
        foreach (var session in model.Sessions)
        {
            Assert.Equal(session.RenewableUntil >= Now - Retention, rows.Contains(session.Id.Value));
        }
    }

    private void PassTime(TimeSpan time) => _server.Time.AdjustTime(Now + time);

    private readonly record struct Step(Kind Kind, int Number);

    private sealed record ModelSession(SessionId Id, ClientId Client, DateTimeOffset RenewableUntil)
    {
        public DateTimeOffset EndsAt { get; set; }

        public bool IsRevoked { get; set; }

        public bool IsLiving(DateTimeOffset now) => !IsRevoked && now < EndsAt;
    }

    private sealed record ModelTicket(TestTicket Held, ModelSession Session, DateTimeOffset EndsAt)
    {
        public bool IsGood(DateTimeOffset now) => Session.IsLiving(now) && now < EndsAt;
    }

    private sealed class Model
    {
        public List<ModelSession> Sessions { get; } = [];

        public List<ModelTicket> Tickets { get; } = [];

        public void RevokeAll(ClientId client) => Sessions.Where(session => session.Client == client).ToList().ForEach(static session => session.IsRevoked = true);
    }
}
