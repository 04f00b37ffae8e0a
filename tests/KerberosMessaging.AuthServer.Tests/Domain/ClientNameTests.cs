using System.Text;
using CsCheck;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.AuthServer.Tests.Domain;

public sealed class ClientNameTests
{
    [Theory]
    [InlineData("alice", "alice", "alice")]
    [InlineData("Alice", "Alice", "alice")]
    [InlineData("ＡＬＩＣＥ", "ALICE", "alice")]
    [InlineData("a.b_c-d", "a.b_c-d", "a.b_c-d")]
    [InlineData("0", "0", "0")]
    [InlineData("①", "1", "1")]
    [InlineData("\uFB01n", "fin", "fin")]
    [InlineData("\u212Aelvin", "Kelvin", "kelvin")]
    [InlineData("E\u0301mile", "Émile", "émile")]
    [InlineData("Ольга", "Ольга", "ольга")]
    [InlineData("陳", "陳", "陳")]
    [InlineData("\u0BA8\u0BBF", "\u0BA8\u0BBF", "\u0BA8\u0BBF")]
    public void A_name_is_shown_in_NFKC_and_compared_without_regard_to_case(string text, string display, string key)
    {
        Assert.True(ClientName.TryParse(text, out var name));

        Assert.Equal(display, name.Display);
        Assert.Equal(key, name.Key);
        Assert.Equal(Encoding.UTF8.GetBytes(key), name.CredentialIdentifier);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("a b")]
    [InlineData(" alice")]
    [InlineData("alice\u00A0")]
    [InlineData(".alice")]
    [InlineData("-alice")]
    [InlineData("_alice")]
    [InlineData("\u0301alice")]
    [InlineData("alice@realm")]
    [InlineData("a/b")]
    [InlineData("a:b")]
    [InlineData("a\0")]
    [InlineData("a\nb")]
    [InlineData("a\u202Eb")]
    [InlineData("a\u200Db")]
    [InlineData("a\uFEFF")]
    [InlineData("a\U0001F600")]
    [InlineData("\u2460\u2024\u2025\u3000")]
    [InlineData("\uFDFA")]
    [InlineData("a\uFFFD")]
    [InlineData("a\uFFFE")]
    [InlineData("a\uFFFF")]
    [InlineData("a\U0001FFFE")]
    [InlineData("a\uE000")]
    public void Anything_else_is_no_name(string text) => Assert.False(ClientName.TryParse(text, out _));

    [Theory]
    [InlineData(0xD800)]
    [InlineData(0xDFFF)]
    public void Half_a_surrogate_pair_is_no_name(int half) => Assert.False(ClientName.TryParse($"a{(char)half}", out _));

    [Fact]
    public void The_limit_is_64_bytes_of_UTF_8_after_normalisation()
    {
        Assert.True(ClientName.TryParse(new string('a', 64), out _));
        Assert.False(ClientName.TryParse(new string('a', 65), out _));
        Assert.True(ClientName.TryParse(new string('é', 32), out _));
        Assert.False(ClientName.TryParse(new string('é', 32) + "a", out _));

        // 60 bytes become 120: U+FB01 is three bytes and stands for two letters, U+3300 is three and stands for twelve.
        Assert.True(ClientName.TryParse(new string('\uFB01', 30), out _));
        Assert.False(ClientName.TryParse(new string('\u3300', 20), out _));
    }

    [Fact]
    public void Any_text_is_judged_without_an_exception_and_a_name_stays_what_it_is() =>
        Gen.OneOf(
            Gen.String,
            Gen.String[Gen.Char['\u0000', '\uFFFF'], 1, 8],
            Gen.String[Gen.Char['\u0041', '\u024F'], 1, 20],
            Gen.String[Gen.Char['\u1E00', '\u2C7F'], 1, 10])
        .Sample(static text =>
        {
            if (!ClientName.TryParse(text, out var name))
            {
                return;
            }

            Assert.InRange(Encoding.UTF8.GetByteCount(name.Display), 1, ProtocolLimits.NameBytes);
            Assert.InRange(Encoding.UTF8.GetByteCount(name.Key), 1, ProtocolLimits.NameBytes);
            Assert.True(ClientName.TryParse(name.Display, out var again));
            Assert.Equal(name, again);
        });

    [Fact]
    public void Every_single_character_is_judged_and_its_key_names_the_same_client()
    {
        for (var value = 0; value <= 0x10FFFF; value++)
        {
            if (Rune.IsValid(value) && ClientName.TryParse(new Rune(value).ToString(), out var name))
            {
                Assert.True(ClientName.TryParse(name.Key, out var again), $"U+{value:X4}");
                Assert.Equal(name.Key, again.Key);
            }
        }
    }
}
