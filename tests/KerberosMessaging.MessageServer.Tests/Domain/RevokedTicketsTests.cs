using CsCheck;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.MessageServer.Tests.Domain;

public sealed class RevokedTicketsTests
{
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 8, 0, 0, TimeSpan.Zero);
    private static readonly ClientId[] Clients = [ClientId.New(), ClientId.New()];
    private static readonly DeviceId[] Devices = [DeviceId.New(), DeviceId.New()];
    private static readonly SessionId[] Sessions = [SessionId.New(), SessionId.New(), SessionId.New()];

    // Few of each, so that much of what is drawn meets.
    private static readonly Gen<TicketLogin> Login = Gen.Select(
        Gen.Int[0, 2], Gen.Int[0, 1], Gen.Int[0, 1], Gen.Int[0, 6],
        static (session, client, device, at) =>
            new TicketLogin(Sessions[session], new DeviceAddress(Clients[client], Devices[device]), Start.AddSeconds(at)));

    private static readonly Gen<Entry> AnyEntry = Gen.Select(Gen.Int[1, 3], Login, static (kind, login) => new Entry(kind, login));

    private readonly FakeTimeProvider _time = new(Start);

    [Fact]
    public void A_login_is_covered_exactly_by_what_names_it() => Gen.Select(AnyEntry.Array[0, 8], Login).Sample((entries, login) =>
    {
        var revoked = new RevokedTickets(_time);
        foreach (var entry in entries)
        {
            entry.AddTo(revoked);
        }

        Assert.Equal(entries.Any(entry => entry.Names(login)), revoked.Covers(login));
    });

    [Fact]
    public void A_login_right_after_the_revocation_is_a_new_one()
    {
        var revoked = new RevokedTickets(_time);
        var login = new TicketLogin(Sessions[0], new DeviceAddress(Clients[0], Devices[0]), Start);
        revoked.AddClient(Clients[0], Start);
        Assert.True(revoked.Covers(login));
        Assert.False(revoked.Covers(login with { AuthenticatedAt = Start.AddMilliseconds(1) }));
    }

    [Fact]
    public void What_a_living_ticket_can_claim_is_never_forgotten_and_the_rest_is() =>
        Gen.Select(AnyEntry, Gen.Int[0, 9 * 3600]).Array[1, 20].Sample(steps =>
        {
            var time = new FakeTimeProvider(Start);
            var revoked = new RevokedTickets(time);
            var added = new List<Entry>();
            foreach (var (entry, seconds) in steps)
            {
                time.Advance(TimeSpan.FromSeconds(seconds));
                var now = entry with { Login = entry.Login with { AuthenticatedAt = time.GetUtcNow() } };
                now.AddTo(revoked);
                added.Add(now);

                // A service ticket that was made the moment before lives for a day at most.
                Assert.All(
                    added.Where(one => time.GetUtcNow() < one.Login.AuthenticatedAt.AddDays(1)),
                    one => Assert.True(revoked.Covers(one.Login)));
            }

            time.Advance(RevokedTickets.Remembered + TimeSpan.FromMinutes(1));
            revoked.AddSession(SessionId.New(), time.GetUtcNow());
            Assert.Equal(1, revoked.Count);
        });

    private sealed record Entry(int Kind, TicketLogin Login)
    {
        public void AddTo(RevokedTickets revoked)
        {
            switch (Kind)
            {
                case 1:
                    revoked.AddSession(Login.Session, Login.AuthenticatedAt);
                    break;
                case 2:
                    revoked.AddDevice(Login.Device, Login.AuthenticatedAt);
                    break;
                default:
                    revoked.AddClient(Login.Device.Client, Login.AuthenticatedAt);
                    break;
            }
        }

        public bool Names(TicketLogin login) => Kind switch
        {
            1 => login.Session == Login.Session,
            2 => login.Device == Login.Device && login.AuthenticatedAt <= Login.AuthenticatedAt,
            _ => login.Device.Client == Login.Device.Client && login.AuthenticatedAt <= Login.AuthenticatedAt,
        };
    }
}
