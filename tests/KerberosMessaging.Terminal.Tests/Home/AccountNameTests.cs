using System.Text;
using KerberosMessaging.Terminal.Home;

namespace KerberosMessaging.Terminal.Tests.Home;

public sealed class AccountNameTests
{
    [Theory]
    [InlineData("alice", "alice")]
    [InlineData("Alice", "alice")]
    [InlineData("svc.mail-2_x", "svc.mail-2_x")]
    [InlineData("JOSÉ", "josé")]
    [InlineData("Jose\u0301", "josé")]
    [InlineData("ａｌｉｃｅ", "alice")]
    [InlineData("मोहन", "मोहन")]
    [InlineData("..", "%2E.")]
    [InlineData("../bob", "%2E.%2Fbob")]
    [InlineData("a/b", "a%2Fb")]
    [InlineData("a\\b", "a%5Cb")]
    [InlineData("a%2Fb", "a%252fb")]
    [InlineData("a b", "a%20b")]
    [InlineData("a\0", "a%00")]
    [InlineData("-rf", "%2Drf")]
    public void A_folder_has_one_form_and_names_no_other_place(string name, string folder)
    {
        Assert.Equal(folder, AccountName.ToFolder(name));
        Assert.Equal(folder, AccountName.ToFolder(AccountName.FromFolder(folder)));
    }

    [Fact]
    public void The_longest_name_fits_a_file_name()
    {
        var folder = AccountName.ToFolder(new string('/', 64));

        Assert.InRange(Encoding.UTF8.GetByteCount(folder), 1, 240);
    }

    [Fact]
    public void What_is_no_text_is_refused()
    {
        foreach (var name in (string[])["", "a\ud800", "\udc00"])
        {
            Assert.Equal(ExitCode.Usage, Assert.Throws<CommandException>(() => AccountName.ToFolder(name)).Code);
        }
    }
}
