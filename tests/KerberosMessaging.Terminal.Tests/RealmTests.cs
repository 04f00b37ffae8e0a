using System.Text.Json;

namespace KerberosMessaging.Terminal.Tests;

public sealed class RealmTests : IAsyncDisposable
{
    private readonly HandshakeServer _server = new();
    private readonly TempHome _home = new();

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _home.Dispose();
    }

    [Fact]
    public async Task A_realm_with_the_right_fingerprint_is_saved_for_its_owner_alone()
    {
        var shell = new ScriptedShell();

        Assert.Equal(
            ExitCode.Ok, await _home.RunAsync(shell, "realm", "add", _server.Address, "--fingerprint", _server.Fingerprint.ToUpperInvariant()));

        Assert.Empty(shell.Written);
        Assert.Empty(shell.Errors);
        using var saved = JsonDocument.Parse(await File.ReadAllBytesAsync(_home.RealmFile, TestContext.Current.CancellationToken));
        Assert.Equal("127.0.0.1", saved.RootElement.GetProperty("host").GetString());
        Assert.Equal(_server.Port, saved.RootElement.GetProperty("port").GetInt32());
        Assert.Equal(_server.Fingerprint, saved.RootElement.GetProperty("fingerprint").GetString());
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_home.RealmFile));
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_home.Path));
        }
    }

    [Fact]
    public async Task Show_prints_it()
    {
        _home.WriteRealm(1256);
        var shell = new ScriptedShell();

        Assert.Equal(ExitCode.Ok, await _home.RunAsync(shell, "realm", "show"));

        Assert.Equal($"address      127.0.0.1:1256\nfingerprint  {TempHome.Fingerprint}\n", shell.Written.ReplaceLineEndings("\n"));
    }

    [Fact]
    public async Task Show_prints_it_as_json()
    {
        _home.WriteRealm(1256);
        var shell = new ScriptedShell();

        Assert.Equal(ExitCode.Ok, await _home.RunAsync(shell, "realm", "show", "--json"));

        Assert.Equal(
            $$"""{"host":"127.0.0.1","port":1256,"fingerprint":"{{TempHome.Fingerprint}}"}""", shell.Written.TrimEnd());
    }

    [Fact]
    public async Task Another_fingerprint_than_the_given_one_is_not_saved()
    {
        var shell = new ScriptedShell();

        Assert.Equal(
            ExitCode.Untrusted, await _home.RunAsync(shell, "realm", "add", _server.Address, "--fingerprint", TempHome.Fingerprint));

        Assert.Contains(_server.Fingerprint, shell.Errors, StringComparison.Ordinal);
        Assert.False(File.Exists(_home.RealmFile));
    }

    [Theory]
    [InlineData("yes\n")]
    [InlineData("perhaps\ny\n")]
    [InlineData("no\b\byes\n")]
    [InlineData("no^Uyes\n")]
    public async Task Without_a_fingerprint_the_person_decides(string keys)
    {
        var shell = new ScriptedShell { Keys = keys };

        Assert.Equal(ExitCode.Ok, await _home.RunAsync(shell, "realm", "add", _server.Address));

        Assert.Contains(_server.Fingerprint[..4], shell.Prompted, StringComparison.Ordinal);
        Assert.Contains(_server.Fingerprint, string.Concat(shell.Prompted.Where(char.IsAsciiHexDigit)), StringComparison.Ordinal);
        Assert.Empty(shell.Written);
        Assert.True(File.Exists(_home.RealmFile));
    }

    [Theory]
    [InlineData("no\n", 6)]
    [InlineData("^C", 130)]
    [InlineData("ye^C", 130)]
    [InlineData("^D", 130)]
    public async Task Without_a_yes_nothing_is_saved(string keys, int code)
    {
        var shell = new ScriptedShell { Keys = keys };

        Assert.Equal((ExitCode)code, await _home.RunAsync(shell, "realm", "add", _server.Address));

        Assert.False(File.Exists(_home.RealmFile));
    }

    [Fact]
    public async Task Without_a_fingerprint_and_a_terminal_it_is_refused_before_connecting()
    {
        var shell = new ScriptedShell();

        Assert.Equal(ExitCode.Usage, await _home.RunAsync(shell, "realm", "add", "127.0.0.1:1"));

        Assert.Contains("hint: give --fingerprint HEX", shell.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_realm_may_move()
    {
        _home.WriteRealm(port: 1, fingerprint: _server.Fingerprint);
        var shell = new ScriptedShell();

        Assert.Equal(ExitCode.Ok, await _home.RunAsync(shell, "realm", "add", _server.Address));

        Assert.Contains($"\"port\": {_server.Port}", await File.ReadAllTextAsync(_home.RealmFile, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Another_realm_does_not_replace_the_known_one(bool isGiven)
    {
        _home.WriteRealm();
        var before = await File.ReadAllTextAsync(_home.RealmFile, TestContext.Current.CancellationToken);
        var shell = new ScriptedShell { Keys = "yes\n" };
        string[] args = ["realm", "add", _server.Address];

        Assert.Equal(
            ExitCode.Untrusted, await _home.RunAsync(shell, isGiven ? [.. args, "--fingerprint", _server.Fingerprint] : args));

        Assert.Contains("kmsg realm remove", shell.Errors, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllTextAsync(_home.RealmFile, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Remove_forgets_it()
    {
        _home.WriteRealm();

        Assert.Equal(ExitCode.Ok, await _home.RunAsync(new ScriptedShell(), "realm", "remove"));
        Assert.Equal(ExitCode.Usage, await _home.RunAsync(new ScriptedShell(), "realm", "remove"));

        Assert.False(File.Exists(_home.RealmFile));
    }
}
