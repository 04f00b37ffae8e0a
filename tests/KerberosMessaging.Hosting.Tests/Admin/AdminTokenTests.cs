using System.Diagnostics.CodeAnalysis;
using KerberosMessaging.Hosting.Admin;

namespace KerberosMessaging.Hosting.Tests.Admin;

public sealed class AdminTokenTests : IDisposable
{
    private readonly TempFolder _folder = new();

    [Fact]
    public void The_first_start_makes_a_token_and_later_starts_only_know_it()
    {
        var first = AdminToken.LoadOrCreate(Made());
        var second = AdminToken.LoadOrCreate(Made());

        Assert.NotNull(first.NewlyMade);
        Assert.Matches("^kmsg_admin_[A-Za-z0-9_-]{43}$", first.NewlyMade);
        Assert.True(Matches(first, first.NewlyMade));
        Assert.Null(second.NewlyMade);
        Assert.True(Matches(second, first.NewlyMade));
    }

    [Fact]
    public void Two_servers_make_different_tokens()
    {
        using var other = new TempFolder();
        var first = AdminToken.LoadOrCreate(Made());
        var second = AdminToken.LoadOrCreate(new AdminOptions { TokenHashFile = other.File("hash") });

        Assert.NotEqual(first.NewlyMade, second.NewlyMade);
        Assert.False(Matches(second, first.NewlyMade));
    }

    [Fact]
    public void Only_the_hash_is_stored_and_no_other_file_stays()
    {
        var token = AdminToken.LoadOrCreate(Made()).NewlyMade!;

        Assert.Matches("^sha256:[0-9a-f]{64}\n$", _folder.AllText());
        Assert.DoesNotContain(token, _folder.AllText(), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(token[AdminToken.Prefix.Length..], _folder.AllText(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    [SuppressMessage("Interoperability", "CA1416", Justification = "Skipped on Windows.")]
    public void Only_the_owner_may_read_the_stored_hash()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Unix file modes");
        AdminToken.LoadOrCreate(Made());

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Made().TokenHashFile));
    }

    [Fact]
    public void The_folder_of_the_hash_is_made_when_missing()
    {
        var token = AdminToken.LoadOrCreate(new AdminOptions { TokenHashFile = _folder.File("not/yet/there.hash") });

        Assert.True(File.Exists(_folder.File("not/yet/there.hash")));
        Assert.NotNull(token.NewlyMade);
    }

    [Fact]
    public void Printing_it_does_not_show_it()
    {
        var token = AdminToken.LoadOrCreate(Made());

        Assert.Equal("[redacted]", $"{token}");
    }

    [Fact]
    public void Nothing_but_the_token_matches()
    {
        var token = AdminToken.LoadOrCreate(Made());
        var right = token.NewlyMade!;

        Assert.False(Matches(token, ""));
        Assert.False(Matches(token, right.AsSpan(..^1)));
        Assert.False(Matches(token, right + "A"));
        Assert.False(Matches(token, right + "\0"));
        Assert.False(Matches(token, right.ToUpperInvariant()));
        Assert.False(Matches(token, new string('€', AdminToken.MaxLength)));
    }

    [Fact]
    public void A_token_file_counts_instead_of_the_stored_hash()
    {
        var made = AdminToken.LoadOrCreate(Made()).NewlyMade!;
        var options = Made();
        options.TokenFile = _folder.Write("token", "  a-token-from-a-secret\r\n");

        var token = AdminToken.LoadOrCreate(options);

        Assert.Null(token.NewlyMade);
        Assert.True(Matches(token, "a-token-from-a-secret"));
        Assert.False(Matches(token, made));
    }

    [Fact]
    public void With_a_token_file_nothing_is_stored()
    {
        var options = Made();
        options.TokenFile = _folder.Write("token", "a-token-from-a-secret");
        AdminToken.LoadOrCreate(options);

        Assert.False(File.Exists(options.TokenHashFile));
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData(" \n\t ", "is empty")]
    [InlineData("fifteen-letters", "15 characters")]
    [InlineData("two words are not one token", "without spaces")]
    [InlineData("first-line-of-two\nsecond-line-of-two", "one line")]
    [InlineData("töken-that-no-header-can-carry", "ASCII")]
    public void A_bad_token_file_is_refused_in_one_line_that_names_it(string text, string reason)
    {
        var path = _folder.Write("token", text);

        var e = Assert.Throws<AdminTokenException>(() => AdminToken.LoadOrCreate(new AdminOptions { TokenFile = path }));

        Assert.Contains(path, e.Message, StringComparison.Ordinal);
        Assert.Contains(reason, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        Assert.True(text.Trim().Length == 0 || !e.Message.Contains(text.Trim(), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(513)]
    [InlineData(100_000)]
    public void A_token_file_that_is_too_large_is_refused(int length)
    {
        var path = _folder.Write("token", new string('a', length));

        var e = Assert.Throws<AdminTokenException>(() => AdminToken.LoadOrCreate(new AdminOptions { TokenFile = path }));
        Assert.Contains(path, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("missing/folder")]
    [InlineData(".")]
    public void A_token_file_that_cannot_be_read_is_refused(string name)
    {
        var path = _folder.File(name);

        var e = Assert.Throws<AdminTokenException>(() => AdminToken.LoadOrCreate(new AdminOptions { TokenFile = path }));
        Assert.Contains(path, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("sha256:")]
    [InlineData("sha256:00")]
    [InlineData("sha256:zz00000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    public void A_damaged_hash_file_is_refused_and_kept(string text)
    {
        var path = _folder.Write("hash", text);

        var e = Assert.Throws<AdminTokenException>(() => AdminToken.LoadOrCreate(new AdminOptions { TokenHashFile = path }));

        Assert.Contains(path, e.Message, StringComparison.Ordinal);
        Assert.Equal(text, File.ReadAllText(path));
    }

    [Fact]
    public void A_hash_file_that_cannot_be_written_is_refused()
    {
        var path = Path.Combine(_folder.Write("a-file", ""), "hash");

        var e = Assert.Throws<AdminTokenException>(() => AdminToken.LoadOrCreate(new AdminOptions { TokenHashFile = path }));
        Assert.Contains(path, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_many_starts_at_once_exactly_one_makes_the_token()
    {
        var tokens = new AdminToken[16];
        Parallel.For(0, tokens.Length, i => tokens[i] = AdminToken.LoadOrCreate(Made()));

        var made = Assert.Single(tokens, static token => token.NewlyMade is not null).NewlyMade;
        Assert.All(tokens, token => Assert.True(Matches(token, made)));
        Assert.Matches("^sha256:[0-9a-f]{64}\n$", _folder.AllText());
    }

    public void Dispose() => _folder.Dispose();

    private AdminOptions Made() => new() { TokenHashFile = _folder.File("admin-token.hash") };

    private static bool Matches(AdminToken token, ReadOnlySpan<char> presented) => AdminToken.HashOf(presented).AsSpan().SequenceEqual(token.Hash);
}
