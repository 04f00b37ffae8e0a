using KerberosMessaging.Hosting.Admin;

namespace KerberosMessaging.Hosting.Tests.Admin;

public sealed class PreconditionTests
{
    private static readonly EntityTag Current = EntityTag.Of("a", 1);

    [Fact]
    public void A_tag_is_strong_and_in_quotes() => Assert.Matches("^\"[A-Za-z0-9_-]{22}\"$", Current.ToString());

    [Fact]
    public void The_same_state_has_the_same_tag() => Assert.Equal(Current, EntityTag.Of("a", 1));

    [Fact]
    public void Different_states_have_different_tags()
    {
        EntityTag[] tags =
        [
            Current, EntityTag.Of(1, "a"), EntityTag.Of("a1"), EntityTag.Of("a", 1, null), EntityTag.Of("a", 1, ""), EntityTag.Of(), EntityTag.Of((object?)null),
            EntityTag.Of("ab", "c"), EntityTag.Of("a", "bc"), EntityTag.Of("a", true), EntityTag.Of(new byte[] { 1 }), EntityTag.Of(new byte[] { 1, 1 }),
            EntityTag.Of(DateTimeOffset.UnixEpoch), EntityTag.Of(DateTimeOffset.UnixEpoch.AddMilliseconds(1)),
        ];
        Assert.Distinct(tags);
    }

    [Fact]
    public void A_time_counts_by_the_millisecond_wherever_it_was_read()
    {
        var time = new DateTimeOffset(2026, 5, 4, 8, 15, 30, TimeSpan.Zero);
        Assert.Equal(EntityTag.Of(time), EntityTag.Of(time.ToOffset(TimeSpan.FromHours(2)).AddTicks(9)));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("*")]
    [InlineData("TAG")]
    [InlineData("\"other\", TAG")]
    [InlineData("TAG,\"other\"")]
    [InlineData("W/\"other\", TAG")]
    public void It_holds(string? header) => Assert.True(Precondition.Parse(header?.Replace("TAG", Current.ToString(), StringComparison.Ordinal)).Holds(Current));

    [Theory]
    [InlineData("\"other\"")]
    [InlineData("W/TAG")]
    [InlineData("")]
    [InlineData("no quotes")]
    [InlineData("TAG x")]
    [InlineData("\"*\"")]
    [InlineData("\"unfinished")]
    public void It_does_not_hold(string header) => Assert.False(Precondition.Parse(header.Replace("TAG", Current.ToString(), StringComparison.Ordinal)).Holds(Current));

    [Fact]
    public void A_tag_without_its_quotes_does_not_hold() => Assert.False(Precondition.Parse(Current.ToString().Trim('"')).Holds(Current));

    [Fact]
    public void None_always_holds() => Assert.True(Precondition.None.Holds(Current));
}
