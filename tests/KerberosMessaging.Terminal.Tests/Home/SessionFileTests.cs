using System.Runtime.Versioning;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Terminal.Home;

namespace KerberosMessaging.Terminal.Tests.Home;

[UnsupportedOSPlatform("windows")]
public sealed class SessionFileTests : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly TempHome _home = new();
    private readonly ScriptedShell _shell = new();

    public SessionFileTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "It is about modes of files.");

    private string RuntimeFolder => _home.Beside("runtime");

    public void Dispose() => _home.Dispose();

    [Fact]
    public void Without_a_runtime_directory_it_lies_beside_the_store_for_its_owner_alone()
    {
        using var key = SecretBytes.Random(64);

        File("alice").Save(key);

        Assert.Equal(OwnerOnly, System.IO.File.GetUnixFileMode(_home.PathOf("accounts", "alice", "session")));
        Assert.Single(Files());
        AssertLoads("alice", key);
    }

    [Fact]
    public void It_lies_in_the_user_s_runtime_directory_for_its_owner_alone()
    {
        using var key = SecretBytes.Random(64);
        MakeRuntimeFolder(OwnerOnly | UnixFileMode.UserExecute);

        File("alice").Save(key);

        var path = Assert.Single(Files());
        Assert.StartsWith(RuntimeFolder, path, StringComparison.Ordinal);
        Assert.Equal(OwnerOnly, System.IO.File.GetUnixFileMode(path));
        AssertLoads("alice", key);
    }

    [Fact]
    public void A_runtime_directory_that_others_can_enter_is_not_used()
    {
        using var key = SecretBytes.Random(64);
        MakeRuntimeFolder(OwnerOnly | UnixFileMode.UserExecute | UnixFileMode.OtherExecute);

        File("alice").Save(key);

        Assert.Equal(_home.PathOf("accounts", "alice", "session"), Assert.Single(Files()));
    }

    [Theory]
    [InlineData("/nonexistent/runtime")]
    [InlineData("relative")]
    [InlineData("")]
    public void A_runtime_directory_that_is_none_is_not_used(string path)
    {
        using var key = SecretBytes.Random(64);
        _shell.Environment["XDG_RUNTIME_DIR"] = path;

        File("alice").Save(key);

        Assert.Equal(_home.PathOf("accounts", "alice", "session"), Assert.Single(Files()));
    }

    [Fact]
    public void A_session_from_before_there_was_a_runtime_directory_is_found_and_then_replaced()
    {
        using var before = SecretBytes.Random(64);
        using var after = SecretBytes.Random(64);
        File("alice").Save(before);
        MakeRuntimeFolder(OwnerOnly | UnixFileMode.UserExecute);

        AssertLoads("alice", before);
        File("alice").Save(after);

        Assert.Single(Files());
        AssertLoads("alice", after);
    }

    [Fact]
    public void Accounts_and_homes_do_not_share_sessions()
    {
        using var alices = SecretBytes.Random(64);
        using var bobs = SecretBytes.Random(64);
        MakeRuntimeFolder(OwnerOnly | UnixFileMode.UserExecute);

        File("alice").Save(alices);
        File("bob").Save(bobs);

        AssertLoads("alice", alices);
        AssertLoads("bob", bobs);
        Assert.Null(new HomeFolder(_home.Beside("another"), _shell).Accounts.Get("alice").Session.Load());
    }

    [Fact]
    public void Deleting_leaves_nothing()
    {
        using var key = SecretBytes.Random(64);
        File("alice").Save(key);
        MakeRuntimeFolder(OwnerOnly | UnixFileMode.UserExecute);
        File("alice").Save(key);
        TempHome.Write(_home.PathOf("accounts", "alice", "session"), "left over");

        File("alice").Delete();
        File("alice").Delete();

        Assert.Empty(Files());
        Assert.Null(File("alice").Load());
    }

    private SessionFile File(string account) => new HomeFolder(_home.Path, _shell).Accounts.Get(account).Session;

    private void AssertLoads(string account, SecretBytes expected)
    {
        using var loaded = File(account).Load();
        Assert.Equal(expected.Span, loaded!.Span);
    }

    private void MakeRuntimeFolder(UnixFileMode mode)
    {
        Directory.CreateDirectory(RuntimeFolder);
        System.IO.File.SetUnixFileMode(RuntimeFolder, mode);
        _shell.Environment["XDG_RUNTIME_DIR"] = RuntimeFolder;
    }

    private string[] Files() => Directory.GetFiles(_home.Beside(""), "*", SearchOption.AllDirectories);
}
