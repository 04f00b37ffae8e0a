using System.Text;
using CsCheck;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.Client;

namespace KerberosMessaging.AuthServer.Tests.Domain;

/// <summary>
/// The SDK compares names by itself, to notice when the realm answers with somebody else: it must not differ from the realm there.
/// </summary>
public sealed class ClientNameComparisonTests
{
    [Fact]
    public void The_SDK_takes_every_name_and_its_key_for_one_client()
    {
        for (var value = 0; value <= 0x10FFFF; value++)
        {
            if (Rune.IsValid(value) && ClientName.TryParse(new Rune(value).ToString(), out var name))
            {
                Assert.True(ClientNames.AreSame(name.Display, name.Key), $"U+{value:X4}");
            }
        }
    }

    [Fact]
    public void The_SDK_and_the_realm_agree_on_which_names_are_one_clients() =>
        ScriptSample.Names.SelectMany(
            static name => Gen.OneOf(
                Gen.Const(name.ToUpperInvariant()),
                Gen.Const(name.ToLowerInvariant()),
                Gen.Const(name.Normalize(NormalizationForm.FormD)),
                ScriptSample.Names),
            static (a, b) => (a, b))
        .Sample(static (a, b) =>
        {
            if (ClientName.TryParse(a, out var first) && ClientName.TryParse(b, out var second))
            {
                Assert.Equal(first.Key == second.Key, ClientNames.AreSame(a, b));
            }
        });

    [Theory]
    [InlineData(0xD800)]
    [InlineData(0xFFFE)]
    public void The_SDK_takes_what_is_no_text_for_nobodys_name(int unit)
    {
        var name = $"a{(char)unit}";

        Assert.False(ClientNames.AreSame(name, name));
    }
}
