using System.Runtime.Versioning;
using System.Text;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Terminal.Interaction;

namespace KerberosMessaging.Terminal.Tests.Interaction;

public sealed class PasswordInputTests : IDisposable
{
    private readonly TempHome _home = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _home.Dispose();

    [Theory]
    [InlineData("correct horse\n", "correct horse")]
    [InlineData("correct hörsx\be\n", "correct hörse")]
    [InlineData("\b\bx\n", "x")]
    [InlineData("wrong^Uright\n", "right")]
    [InlineData("a😀\bb\n", "ab")]
    [InlineData(" spaces count \n", " spaces count ")]
    public async Task What_is_typed_is_taken_and_not_shown(string keys, string expected)
    {
        var shell = new ScriptedShell { Keys = keys };

        using var password = await new PasswordInput(shell).AskAsync("Password: ", twice: false, Cancel);

        Assert.Equal(expected, Encoding.UTF8.GetString(password.Span));
        Assert.Equal($"Password: {Environment.NewLine}", shell.Prompted);
        Assert.Empty(shell.Written);
        Assert.Empty(shell.Errors);
    }

    [Fact]
    public async Task A_new_password_is_asked_for_twice()
    {
        var shell = new ScriptedShell { Keys = "secret\nsecret\n" };

        using var password = await new PasswordInput(shell).AskAsync("Password: ", twice: true, Cancel);

        Assert.Equal("secret"u8, password.Span);
        Assert.Equal($"Password: {Environment.NewLine}The same again: {Environment.NewLine}", shell.Prompted);
    }

    [Theory]
    [InlineData("secret\nsecrex\n", 2, "the two passwords are not the same")]
    [InlineData("\n\n", 2, "the password is empty")]
    [InlineData("^C", 130, "interrupted")]
    [InlineData("secret\nsec^C", 130, "interrupted")]
    [InlineData("^D", 130, "interrupted")]
    public async Task What_is_no_new_password_is_refused(string keys, int code, string message)
    {
        var refused = await RefusedAsync(input => input.AskAsync("Password: ", twice: true, Cancel), new ScriptedShell { Keys = keys });

        Assert.Equal((ExitCode)code, refused.Code);
        Assert.Equal(message, refused.Message);
    }

    [Fact]
    public async Task A_password_that_is_too_long_is_refused_and_not_cut()
    {
        var shell = new ScriptedShell { Keys = new string('x', 1025) + "\n" };

        var refused = await RefusedAsync(input => input.AskAsync("Password: ", twice: false, Cancel), shell);

        Assert.Equal("the password is longer than 1024 characters", refused.Message);
    }

    [Theory]
    [InlineData("secret", "secret")]
    [InlineData("secret\n", "secret")]
    [InlineData("secret\r\n", "secret")]
    [InlineData("secret\nmore\n", "secret")]
    [InlineData("\ufeffsecret\n", "secret")]
    [InlineData(" se cret \n", " se cret ")]
    [InlineData("se\rcret\n", "se\rcret")]
    public async Task The_first_line_of_standard_input_is_taken(string input, string expected)
    {
        var shell = new ScriptedShell { Input = new MemoryStream(Encoding.UTF8.GetBytes(input)) };

        using var password = await new PasswordInput(shell).ReadInputAsync(Cancel);

        Assert.Equal(expected, Encoding.UTF8.GetString(password.Span));
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("\nsecret\n", "is empty")]
    [InlineData("caf\\xe9\n", "is not UTF-8 text")]
    public async Task Standard_input_without_a_password_is_refused(string input, string reason)
    {
        var bytes = Encoding.Latin1.GetBytes(input.Replace("\\xe9", "\xe9", StringComparison.Ordinal));

        var refused = await RefusedAsync(
            passwords => passwords.ReadInputAsync(Cancel), new ScriptedShell { Input = new MemoryStream(bytes) });

        Assert.Equal(ExitCode.Usage, refused.Code);
        Assert.Equal($"the first line of standard input {reason}", refused.Message);
    }

    [Theory]
    [InlineData(1025, "is longer than 1024 characters")]
    [InlineData(1_000_000, "is too long for a password")]
    public async Task A_line_that_is_too_long_is_refused(int length, string reason)
    {
        var input = new MemoryStream(Encoding.ASCII.GetBytes(new string('x', length)));

        var refused = await RefusedAsync(passwords => passwords.ReadInputAsync(Cancel), new ScriptedShell { Input = input });

        Assert.Equal($"the first line of standard input {reason}", refused.Message);
    }

    [Fact]
    public async Task Standard_input_is_not_read_where_it_would_be_seen()
    {
        var refused = await RefusedAsync(passwords => passwords.ReadInputAsync(Cancel), new ScriptedShell { Keys = "secret\n" });

        Assert.Equal(ExitCode.Usage, refused.Code);
    }

    [Fact]
    public async Task An_input_that_stays_open_is_read_only_to_the_end_of_its_first_line()
    {
        var pipe = new System.IO.Pipelines.Pipe();
        await pipe.Writer.WriteAsync("secret\n"u8.ToArray(), Cancel);

        using var password = await new PasswordInput(new ScriptedShell { Input = pipe.Reader.AsStream() }).ReadInputAsync(Cancel);

        Assert.Equal("secret"u8, password.Span);
    }

    [Fact]
    public async Task A_file_of_one_s_own_is_taken_without_a_word()
    {
        var shell = new ScriptedShell();

        using var password = await new PasswordInput(shell).ReadFileAsync(TempHome.Write(_home.Beside("password"), "secret\n"), Cancel);

        Assert.Equal("secret"u8, password.Span);
        Assert.Empty(shell.Errors);
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task A_file_that_others_can_read_is_warned_of()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "It is about modes of files.");
        var file = TempHome.Write(_home.Beside("password"), "secret\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        var shell = new ScriptedShell();

        using var password = await new PasswordInput(shell).ReadFileAsync(file, Cancel);

        Assert.Equal("secret"u8, password.Span);
        Assert.StartsWith($"kmsg: warning: the password file '{file}' is open to others", shell.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_file_is_a_local_problem()
    {
        var refused = await RefusedAsync(input => input.ReadFileAsync(_home.Beside("missing"), Cancel), new ScriptedShell());

        Assert.Equal(ExitCode.LocalProblem, refused.Code);
        Assert.Equal($"the password file '{_home.Beside("missing")}' does not exist", refused.Message);
    }

    [Fact]
    public async Task Without_a_terminal_there_is_no_prompt()
    {
        var shell = new ScriptedShell();

        var refused = await RefusedAsync(input => input.AskAsync("Password: ", twice: false, Cancel), shell);

        Assert.Equal(ExitCode.Usage, refused.Code);
        Assert.Equal("give --password-file FILE or --password-stdin", refused.Hint);
        Assert.Empty(shell.Prompted);
    }

    [Fact]
    public void A_typed_line_is_erased_and_does_not_print_itself()
    {
        var line = new TypedLine();
        Assert.True(line.TryAdd('x'));
        var characters = line.Characters;

        line.Dispose();

        Assert.Equal('\0', characters[0]);
        Assert.Equal("[redacted]", line.ToString());
    }

    private static Task<CommandException> RefusedAsync(Func<PasswordInput, Task<SecretBytes>> read, ScriptedShell shell) =>
        Assert.ThrowsAsync<CommandException>(() => read(new PasswordInput(shell)));
}
