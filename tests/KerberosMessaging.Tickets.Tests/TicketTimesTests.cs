using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.Tickets.Tests;

public sealed class TicketTimesTests
{
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);
    private static readonly DateTimeOffset Start = Realm.Now;
    private static readonly TicketTimes Times = new(Start, Start, Start.AddMinutes(10), Start.AddMinutes(10));

    [Fact]
    public void A_ticket_is_valid_from_a_minute_before_its_start_to_just_before_its_end()
    {
        Assert.Equal(TicketValidity.NotYetValid, Times.Judge(Start.AddMinutes(-1) - Millisecond));
        Assert.Equal(TicketValidity.Valid, Times.Judge(Start.AddMinutes(-1)));
        Assert.Equal(TicketValidity.Valid, Times.Judge(Start));
        Assert.Equal(TicketValidity.Valid, Times.Judge(Start.AddMinutes(10) - Millisecond));
        Assert.Equal(TicketValidity.Expired, Times.Judge(Start.AddMinutes(10)));
        Assert.Equal(TicketValidity.Expired, Times.Judge(Start.AddYears(1)));
    }

    [Fact]
    public void The_end_has_no_skew()
    {
        Assert.Equal(TimeSpan.FromMinutes(1), TicketTimes.ServerClockSkew);
        Assert.Equal(TicketValidity.Expired, Times.Judge(Times.EndsAt + Millisecond));
    }

    [Fact]
    public void A_clock_in_another_zone_judges_the_same()
    {
        Assert.Equal(TicketValidity.Valid, Times.Judge(Start.ToOffset(TimeSpan.FromHours(9))));
        Assert.Equal(TicketValidity.Expired, Times.Judge(Times.EndsAt.ToOffset(TimeSpan.FromHours(-9))));
    }

    [Fact]
    public void A_sealed_ticket_ends_by_the_servers_clock()
    {
        var clock = new FakeTimeProvider(Realm.Now);
        using var body = Realm.Open(Realm.Issue(Realm.NewBody()));
        Assert.NotNull(body);

        Assert.Equal(TicketValidity.Valid, body.Times.Judge(clock.GetUtcNow()));
        clock.Advance(TimeSpan.FromHours(10) - Millisecond);
        Assert.Equal(TicketValidity.Valid, body.Times.Judge(clock.GetUtcNow()));
        clock.Advance(Millisecond);
        Assert.Equal(TicketValidity.Expired, body.Times.Judge(clock.GetUtcNow()));
    }
}
