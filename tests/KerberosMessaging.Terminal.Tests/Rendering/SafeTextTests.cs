using CsCheck;
using KerberosMessaging.Terminal.Rendering;

namespace KerberosMessaging.Terminal.Tests.Rendering;

public sealed class SafeTextTests
{
    [Theory]
    [InlineData("plain text, ümläute, 漢字, 😀, עברית", "plain text, ümläute, 漢字, 😀, עברית")]
    [InlineData("\e[31mred\e[0m", "␛[31mred␛[0m")]
    [InlineData("\e]0;title\a", "␛]0;title␇")]
    [InlineData("a\rb\bc\0", "a␍b␈c␀")]
    [InlineData("\u007f", "␡")]
    [InlineData("\u009b31m", "<U+009B>31m")]
    [InlineData("one\ntwo\tthree", "one␊two␉three")]
    [InlineData("invoice\u202Efdp.exe", "invoice<U+202E>fdp.exe")]
    [InlineData("\u2066x\u2069", "<U+2066>x<U+2069>")]
    [InlineData("one\u2028two", "one<U+2028>two")]
    public void A_line_stays_one_line_and_does_nothing(string text, string expected) =>
        Assert.Equal(expected, SafeText.OfLine(text));

    [Theory]
    [InlineData("one\ntwo", "one\n    two")]
    [InlineData("one\r\ntwo\rthree", "one\n    two\n    three")]
    [InlineData("one\n2026-11-23 10:11:12  bob: forged", "one\n    2026-11-23 10:11:12  bob: forged")]
    [InlineData("a\tb", "a\tb")]
    [InlineData("\e[2J\nx", "␛[2J\n    x")]
    [InlineData("one\u2028two", "one\n    two")]
    public void A_block_keeps_its_lines_but_for_the_margin(string text, string expected) =>
        Assert.Equal(expected, SafeText.OfBlock(text, "    ").ReplaceLineEndings("\n"));

    [Fact]
    public void Half_a_surrogate_pair_is_replaced() => Assert.Equal("a\ufffdb", SafeText.OfLine("a\ud800b"));

    [Fact]
    public void No_text_brings_a_control_character_through() => Gen.String.Sample(text =>
        SafeText.OfLine(text).All(character => !char.IsControl(character))
        && SafeText.OfBlock(text, "    ").All(character => !char.IsControl(character) || character is '\n' or '\r' or '\t'));
}
