using System.Buffers.Text;
using CsCheck;
using KerberosMessaging.Hosting.Admin;

namespace KerberosMessaging.Hosting.Tests.Admin;

public sealed class PageCursorTests
{
    private static readonly Guid Id = new("00112233-4455-6677-8899-aabbccddeeff");

    [Fact]
    public void A_position_by_time_comes_back() =>
        Gen.Select(Gen.Long, Gen.Guid).Sample((time, id) =>
            Assert.True(PageCursor.TryDecode(PageCursor.Encode(time, id), out long timeBack, out var idBack) && (time, id) == (timeBack, idBack)));

    [Fact]
    public void A_position_by_text_comes_back() =>
        Gen.Select(Gen.String[0, 40], Gen.Guid).Where(static (key, _) => !key.Any(char.IsSurrogate)).Sample((key, id) =>
            Assert.True(PageCursor.TryDecode(PageCursor.Encode(key, id), out string keyBack, out var idBack) && (key, id) == (keyBack, idBack)));

    [Fact]
    public void The_bytes_are_fixed()
    {
        Assert.Equal("AQAAAYvP5WgAABEiM0RVZneImaq7zN3u_w", PageCursor.Encode(1_700_000_000_000, Id));
        Assert.Equal("AgARIjNEVWZ3iJmqu8zd7v9hbGljZQ", PageCursor.Encode("alice", Id));
    }

    [Fact]
    public void One_kind_is_not_read_as_the_other()
    {
        Assert.False(PageCursor.TryDecode(PageCursor.Encode("12345678", Id), out long _, out _));
        Assert.False(PageCursor.TryDecode(PageCursor.Encode(1, Id), out string _, out _));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("A")]
    [InlineData("AQ")]
    [InlineData("Ag")]
    [InlineData("not base64url!")]
    [InlineData("AQAAAYvP5WgAABEiM0RVZneImaq7zN3u_")] // a character short
    [InlineData("AQAAAYvP5WgAABEiM0RVZneImaq7zN3u_wA")] // a character more
    [InlineData("AQAAAYvP5WgAABEiM0RVZneImaq7zN3u_x")] // stray bits at the end
    [InlineData("AQAAAYvP5WgAABEiM0RVZneImaq7zN3u_w==")] // padding
    [InlineData("AQAAAYvP5WgAABEiM0RV ZneImaq7zN3u_w")] // white space
    [InlineData("AQAAAYvP5WgAABEiM0RVZneImaq7zN3u/w")] // the other alphabet
    [InlineData("AwAAAYvP5WgAABEiM0RVZneImaq7zN3u_w")] // an unknown version
    [InlineData("AgARIjNEVWZ3iJmqu8zd7v__")] // text that is not UTF-8
    public void Anything_else_is_refused(string? cursor)
    {
        Assert.False(PageCursor.TryDecode(cursor, out long _, out _));
        Assert.False(PageCursor.TryDecode(cursor, out string _, out _));
    }

    [Fact]
    public void Random_text_never_throws() =>
        Gen.OneOf(Gen.String, Gen.Byte.Array[0, 700].Select(static bytes => Base64Url.EncodeToString(bytes))).Sample(static text =>
        {
            _ = PageCursor.TryDecode(text, out long _, out _);
            _ = PageCursor.TryDecode(text, out string _, out _);
        });

    [Fact]
    public void A_text_that_is_too_long_is_refused() =>
        Assert.Throws<ArgumentException>(() => PageCursor.Encode(new string('a', PageCursor.MaxSortKeyLength + 1), Id));

    [Fact]
    public void The_longest_text_comes_back()
    {
        var key = new string('a', PageCursor.MaxSortKeyLength);
        Assert.True(PageCursor.TryDecode(PageCursor.Encode(key, Id), out string back, out _));
        Assert.Equal(key, back);
    }
}
