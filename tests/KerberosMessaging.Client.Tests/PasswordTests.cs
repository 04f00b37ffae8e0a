using System.Text;

namespace KerberosMessaging.Client.Tests;

public sealed class PasswordTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("Zu\u0308rich", "Z\u00FCrich")]
    [InlineData("Z\u00FCrich", "Z\u00FCrich")]
    [InlineData("\u212B", "\u00C5")]
    [InlineData("\uFB01", "\uFB01")]
    [InlineData(" spaces stay ", " spaces stay ")]
    [InlineData("密码 🔑", "密码 🔑")]
    public void A_password_is_the_same_however_its_characters_are_composed(string typed, string expected)
    {
        using var password = Password.FromCharacters(typed);

        Assert.Equal(Encoding.UTF8.GetBytes(expected), password.Span.ToArray());
    }

    [Fact]
    public void Case_and_compatibility_forms_are_not_folded()
    {
        using var a = Password.FromCharacters("Password");
        using var b = Password.FromCharacters("password");

        Assert.NotEqual(a.Span.ToArray(), b.Span.ToArray());
    }

    [Fact]
    public void The_longest_password_is_taken_even_if_it_grows()
    {
        // Three characters each in form NFC, one of the characters that grow most.
        using var password = Password.FromCharacters(new string('\uFB2C', Password.MaxLength));

        Assert.Equal(new string('\uFB2C', Password.MaxLength).Normalize(NormalizationForm.FormC), Encoding.UTF8.GetString(password.Span));
    }

    // Not in attributes, which would hold them as UTF-8 and thus as something else.
    [Fact]
    public void What_is_no_text_is_refused() => Assert.All(
        ["", "\uD800", "a\uDC00b"], static typed => Assert.Throws<ArgumentException>(() => Password.FromCharacters(typed)));

    [Fact]
    public void A_password_of_more_than_the_longest_is_refused() =>
        Assert.Throws<ArgumentException>(() => Password.FromCharacters(new string('x', Password.MaxLength + 1)));

    [Fact]
    public void A_password_is_not_printed()
    {
        using var password = Password.FromCharacters("secret");

        Assert.Equal("[redacted]", password.ToString());
    }
}
