using CsCheck;
using KerberosMessaging.MessageServer.Realm;

namespace KerberosMessaging.MessageServer.Tests.Realm;

public sealed class ReconnectDelayTests
{
    [Fact]
    public void Delays_double_with_jitter_from_a_fifth_of_a_second_to_half_a_minute() => Gen.Int.Sample(static seed =>
    {
        var delay = new ReconnectDelay(new Random(seed));
        var most = ReconnectDelay.Shortest * 2;
        for (var i = 0; i < 12; i++)
        {
            Assert.InRange(delay.Next(), most / 2, most);
            most = most * 2 < ReconnectDelay.Longest ? most * 2 : ReconnectDelay.Longest;
        }

        Assert.Equal(ReconnectDelay.Longest, most);
        delay.Reset();
        Assert.InRange(delay.Next(), ReconnectDelay.Shortest, ReconnectDelay.Shortest * 2);
    });

    [Fact]
    public void Two_servers_do_not_come_back_in_the_same_moment()
    {
        var first = new ReconnectDelay(new Random(1));
        var second = new ReconnectDelay(new Random(2));
        Assert.All(Enumerable.Range(0, 10), _ => Assert.NotEqual(first.Next(), second.Next()));
    }
}
