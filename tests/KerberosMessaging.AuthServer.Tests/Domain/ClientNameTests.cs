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
    [InlineData("Straße", "Straße", "strasse")]
    [InlineData("STRAẞE", "STRAẞE", "strasse")]
    [InlineData("Οδυσσεύς", "Οδυσσεύς", "οδυσσεύσ")]
    [InlineData("ΟΔΥΣΣΕΎΣ", "ΟΔΥΣΣΕΎΣ", "οδυσσεύσ")]
    [InlineData("ᾳ", "ᾳ", "αι")]
    [InlineData("İpek", "İpek", "ipek")]
    [InlineData("IPEK", "IPEK", "ipek")]
    [InlineData("Işıl", "Işıl", "işıl")]
    [InlineData("ԱՐԱՄ", "ԱՐԱՄ", "արամ")]
    [InlineData("ᲜᲘᲜᲝ", "ᲜᲘᲜᲝ", "ნინო")]
    public void A_name_is_shown_in_NFKC_and_compared_without_regard_to_case(string text, string display, string key)
    {
        Assert.True(ClientName.TryParse(text, out var name));

        Assert.Equal(display, name.Display);
        Assert.Equal(key, name.Key);
        Assert.Equal(Encoding.UTF8.GetBytes(key), name.CredentialIdentifier);
    }

    [Theory]
    [InlineData("Zoë", "Latin with a mark")]
    [InlineData("Nguyễn.Văn", "Latin with two marks on one letter")]
    [InlineData("r\u0323\u0304", "marks that no single character stands for")]
    [InlineData("z\u0301\u0302\u0303\u0304", "four marks")]
    [InlineData("Kaʻiulani", "the Hawaiian okina is a letter")]
    [InlineData("山田太郎", "Han alone")]
    [InlineData("山田たろうタロー", "Han, Hiragana and Katakana")]
    [InlineData("山田たろうX2", "Japanese with Latin and digits")]
    [InlineData("ㄅ陳", "Han with Bopomofo")]
    [InlineData("김陳kim", "Han with Hangul and Latin")]
    [InlineData("ольга_1990", "Cyrillic with ASCII digits")]
    [InlineData("राम१२", "Devanagari with its digits")]
    [InlineData("राम12", "Devanagari with ASCII digits")]
    [InlineData("דוד1", "Hebrew that ends with a digit")]
    [InlineData("دانیال.۱۲", "Arabic with extended digits")]
    [InlineData("مُحَمَّد", "Arabic with vowel marks")]
    [InlineData("สมชาย", "Thai")]
    [InlineData("ཀརྨ", "Tibetan with a letter below")]
    [InlineData("12.3", "digits alone")]
    public void A_name_of_one_script_is_allowed(string text, string why) => Assert.True(ClientName.TryParse(text, out _), why);

    [Theory]
    [InlineData("", "nothing")]
    [InlineData(" ", "a space")]
    [InlineData("a b", "a space inside")]
    [InlineData(" alice", "a space in front")]
    [InlineData("alice\u00A0", "a no-break space")]
    [InlineData(".alice", "begins with a full stop")]
    [InlineData("-alice", "begins with a hyphen")]
    [InlineData("_alice", "begins with an underscore")]
    [InlineData("\u0301alice", "begins with a mark")]
    [InlineData("a-\u0301", "a mark on a hyphen")]
    [InlineData("1\u0301", "a mark on a digit")]
    [InlineData("alice@realm", "a sign")]
    [InlineData("a/b", "a sign")]
    [InlineData("a:b", "a sign")]
    [InlineData("a'b", "a sign")]
    [InlineData("a\0", "a control")]
    [InlineData("a\nb", "a control")]
    [InlineData("a\u202Eb", "an override of direction")]
    [InlineData("a\u200Db", "an invisible joiner")]
    [InlineData("a\u00ADb", "an invisible hyphen")]
    [InlineData("a\uFE0F", "an invisible variation selector")]
    [InlineData("\u3164", "an invisible letter")]
    [InlineData("a\u034Fb", "an invisible mark")]
    [InlineData("a\U000E0061", "an invisible tag")]
    [InlineData("a\uFEFF", "a byte order mark")]
    [InlineData("a\U0001F600", "a picture")]
    [InlineData("\u2460\u2024\u2025\u3000", "a space after normalisation")]
    [InlineData("\uFDFA", "spaces after normalisation")]
    [InlineData("a\uFFFD", "the replacement character")]
    [InlineData("a\uFFFE", "a noncharacter")]
    [InlineData("a\uFFFF", "a noncharacter")]
    [InlineData("a\U0001FFFE", "a noncharacter")]
    [InlineData("a\uE000", "private use")]
    [InlineData("a\u0378", "unassigned")]
    [InlineData("p\u0430ypal", "Latin with a Cyrillic a")]
    [InlineData("al\u0456ce", "Latin with a Cyrillic i")]
    [InlineData("οk", "Greek with Latin")]
    [InlineData("Яγ", "Cyrillic with Greek")]
    [InlineData("kimちゃん김", "Japanese with Hangul")]
    [InlineData("ㄅたろう", "Bopomofo with Hiragana")]
    [InlineData("山田ж", "Han with Cyrillic")]
    [InlineData("ж\u0902", "Cyrillic with a Devanagari mark")]
    [InlineData("राम१2", "digits of two systems")]
    [InlineData("ali\u0660", "Latin with Arabic digits")]
    [InlineData("\u0663\u0664", "Arabic digits alone turn around what stands between them")]
    [InlineData("1דוד", "Hebrew that begins with a digit")]
    [InlineData("דוד.", "Hebrew that ends with a full stop")]
    [InlineData("i\u0307", "a second dot on the i")]
    [InlineData("j\u0307", "a second dot on the j")]
    [InlineData("і\u0307", "a second dot on the Cyrillic i")]
    [InlineData("ị\u0307", "a second dot on the i, with another below")]
    [InlineData("I\u0323\u0307", "a second dot on the i once in small letters")]
    [InlineData("l\u0307", "looks like an i")]
    [InlineData("z\u0301\u0301", "a mark twice")]
    [InlineData("z\u0301\u0302\u0303\u0304\u0306", "five marks")]
    [InlineData("ế\u0303\u0304\u0306", "five marks, two of them in the letter")]
    [InlineData("ᚠᚢᚦ", "Runic, a script of the past")]
    [InlineData("ꭰꮃ", "Cherokee, a script of limited use")]
    [InlineData("ɑlice", "phonetic notation")]
    [InlineData("ѡѣ", "Cyrillic letters of the past")]
    [InlineData("ǃkung", "a technical letter")]
    public void Anything_else_is_no_name(string text, string why) => Assert.False(ClientName.TryParse(text, out _), why);

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
            Gen.String[Gen.Char['\u1E00', '\u2C7F'], 1, 10],
            Gen.Int[0, 0x10FFFF].Where(Rune.IsValid).Array[1, 6].Select(static values => string.Concat(values.Select(static value => new Rune(value)))),
            ScriptSample.Names)
        .Sample(static text =>
        {
            if (!ClientName.TryParse(text, out var name))
            {
                return;
            }

            Assert.InRange(Encoding.UTF8.GetByteCount(name.Display), 1, ProtocolLimits.NameBytes);
            Assert.InRange(Encoding.UTF8.GetByteCount(name.Key), 1, ProtocolLimits.NameBytes);
            Assert.InRange(name.Skeleton.Length, 1, 150);
            Assert.True(ClientName.TryParse(name.Display, out var again));
            Assert.Equal(name, again);
            Assert.True(ClientName.TryParse(name.Key, out var key));
            Assert.Equal((name.Key, name.Key), (key.Display, key.Key));
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

    [Fact]
    public void Every_capital_has_the_key_of_its_small_letter()
    {
        for (var value = 0; value <= 0x10FFFF; value++)
        {
            if (Rune.IsValid(value) && ClientName.TryParse(new Rune(value).ToString(), out var name))
            {
                var capital = name.Display.ToUpperInvariant();
                Assert.True(!ClientName.TryParse(capital, out var other) || other.Key == name.Key, $"U+{value:X4} {capital}");
            }
        }
    }
}
