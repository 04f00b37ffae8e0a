using System.Text;
using CsCheck;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Domain.Names;

namespace KerberosMessaging.AuthServer.Tests.Domain;

public sealed class ClientNameSkeletonTests
{
    [Theory]
    [InlineData("alice", "alice")]
    [InlineData("alice", "ALICE")]
    [InlineData("alice", "ALlCE")]
    [InlineData("alice", "a1ice")]
    [InlineData("alice", "allce")]
    [InlineData("bobI", "bobl")]
    [InlineData("bobi", "bobl")]
    [InlineData("bobI", "bob1")]
    [InlineData("Ian", "lan")]
    [InlineData("ıan", "Ian")]
    [InlineData("paypaI", "paypal")]
    [InlineData("bob0", "bobO")]
    [InlineData("b0b", "BOB")]
    [InlineData("modern", "modem")]
    [InlineData("MODEM", "rnodern")]
    [InlineData("bjørn", "bjo\u0338rn")]
    [InlineData("đan", "ðan")]
    [InlineData("Đan", "Ðan")]
    [InlineData("cæsar", "caesar")]
    [InlineData("ǎna", "ăna")]
    [InlineData("Straße", "strasse")]
    [InlineData("İpek", "lpek")]
    [InlineData("apple", "аррӏе")]
    [InlineData("APPLE", "АРРӀЕ")]
    [InlineData("cocoa", "сосоа")]
    [InlineData("scope", "ѕсоре")]
    [InlineData("boba", "ВОВА")]
    [InlineData("BOBA", "вова")]
    [InlineData("max", "МАХ")]
    [InlineData("3ОЯ", "зоя")]
    [InlineData("NIKO", "ΝΙΚΟ")]
    [InlineData("voo", "νοο")]
    [InlineData("ΑΤΑ", "АТА")]
    [InlineData("hoo", "հօօ")]
    [InlineData("uu", "ՍՍ")]
    [InlineData("ニ", "二")]
    [InlineData("ロ口", "口ロ")]
    [InlineData("エリ", "工リ")]
    [InlineData("トム", "卜ム")]
    [InlineData("ك١٢", "ك۱۲")]
    public void Names_that_look_alike_in_some_case_have_one_skeleton(string a, string b) =>
        Assert.Equal(SkeletonOf(a), SkeletonOf(b));

    [Theory]
    [InlineData("alice", "alicia")]
    [InlineData("alice", "alice2")]
    [InlineData("anna", "hanna")]
    [InlineData("ana", "ava")]
    [InlineData("roy", "you")]
    [InlineData("bob", "6o6")]
    [InlineData("user2", "userz")]
    [InlineData("user5", "users")]
    [InlineData("clay", "day")]
    [InlineData("savvas", "sawas")]
    [InlineData("a.b", "a_b")]
    [InlineData("a.b", "a-b")]
    [InlineData("zoe", "zoë")]
    [InlineData("ole", "øle")]
    [InlineData("Ольга", "Елена")]
    [InlineData("Гена", "Уена")]
    [InlineData("Вова", "Вера")]
    [InlineData("Νίκος", "Νίκη")]
    [InlineData("王", "玉")]
    [InlineData("はな", "ばな")]
    public void Names_that_differ_to_the_eye_have_two(string a, string b) => Assert.NotEqual(SkeletonOf(a), SkeletonOf(b));

    [Theory]
    [InlineData("Alice", "aiice")]
    [InlineData("m0m", "rnorn")]
    [InlineData("ВОВА", "boba")]
    [InlineData("Ç\u0331", "c\u0326\u0331")]
    public void A_skeleton_is_made_of_what_the_characters_count_as(string name, string skeleton) =>
        Assert.Equal(skeleton, SkeletonOf(name));

    [Fact]
    public void A_skeleton_is_its_own_skeleton() => ScriptSample.Names.Sample(static text =>
    {
        if (ClientName.TryParse(text, out var name))
        {
            Assert.Equal(name.Skeleton, Lookalikes.Skeleton(name.Skeleton));
        }
    });

    [Fact]
    public void Every_character_that_counts_as_another_does_so_at_once()
    {
        for (var value = 0; value <= 0x10FFFF; value++)
        {
            if (Rune.IsValid(value) && ClientName.TryParse(new Rune(value).ToString(), out var name))
            {
                Assert.True(name.Skeleton == Lookalikes.Skeleton(name.Skeleton), $"U+{value:X4}");
            }
        }
    }

    [Fact]
    public void Case_does_not_change_the_skeleton_of_a_Latin_name()
    {
        for (var value = 'A'; value <= '\u024F'; value++)
        {
            if (ClientName.TryParse($"{value}", out var name) && ClientName.TryParse(name.Key, out var folded))
            {
                Assert.Equal(folded.Skeleton, name.Skeleton);
            }
        }
    }

    private static string SkeletonOf(string text)
    {
        Assert.True(ClientName.TryParse(text, out var name), text);
        return name.Skeleton;
    }
}
