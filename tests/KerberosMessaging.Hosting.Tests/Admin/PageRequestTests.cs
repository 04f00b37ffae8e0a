using KerberosMessaging.Hosting.Admin;

namespace KerberosMessaging.Hosting.Tests.Admin;

public sealed class PageRequestTests
{
    private static readonly Guid Id = Guid.CreateVersion7();

    [Fact]
    public void Nothing_asked_for_is_the_first_page_of_fifty()
    {
        Assert.True(default(PageRequest).TryRead(out var limit, out var after, out var problem));
        Assert.Equal(50, limit);
        Assert.Null(after);
        Assert.Null(problem);
    }

    [Fact]
    public void A_cursor_becomes_the_row_to_start_after()
    {
        Assert.True(new PageRequest { Cursor = PageCursor.Encode(5, Id) }.TryRead(out _, out var after, out _));
        Assert.Equal(new PagePosition(5, Id), after);

        Assert.True(new PageRequest { Cursor = PageCursor.Encode("alice", Id) }.TryReadByKey(out _, out var afterKey, out _));
        Assert.Equal(new PageKeyPosition("alice", Id), afterKey);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(200, true)]
    [InlineData(0, false)]
    [InlineData(201, false)]
    [InlineData(int.MinValue, false)]
    [InlineData(int.MaxValue, false)]
    public void The_limit_is_checked_even_where_the_server_adds_no_validation(int limit, bool isRight)
    {
        var request = new PageRequest { Limit = limit };

        Assert.Equal(isRight, request.TryRead(out _, out _, out _));
        Assert.Equal(isRight, request.TryReadByKey(out _, out _, out _));
    }

    [Fact]
    public void All_that_is_wrong_is_named_at_once()
    {
        Assert.False(new PageRequest { Limit = 0, Cursor = "nonsense" }.TryRead(out _, out _, out var problem));
        Assert.Equal(["cursor", "limit"], problem.ProblemDetails.Errors.Keys.Order());
    }
}
