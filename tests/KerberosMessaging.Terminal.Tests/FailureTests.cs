using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using KerberosMessaging.Client;

namespace KerberosMessaging.Terminal.Tests;

public sealed class FailureTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("register", "alice", "--password-stdin")]
    [InlineData("login", "alice", "--password-stdin")]
    [InlineData("realm", "add", "127.0.0.1:{port}", "--fingerprint", TempHome.Fingerprint)]
    public async Task A_server_that_is_down_is_said_at_once(params string[] args)
    {
        var port = ClosedPort();
        using var home = new TempHome();
        home.WriteRealm(port);
        var shell = new ScriptedShell { Input = new MemoryStream("password\n"u8.ToArray()) };
        var watch = Stopwatch.StartNew();

        Assert.Equal(
            ExitCode.Unreachable,
            await home.RunAsync(shell, [.. args.Select(arg => arg.Replace("{port}", $"{port}", StringComparison.Ordinal))]));

        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(3), $"{watch.Elapsed}");
        var lines = shell.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal($"kmsg: the auth server at 127.0.0.1:{port} cannot be reached", lines[0].TrimEnd());
        Assert.StartsWith("hint: ", lines[1], StringComparison.Ordinal);
        Assert.Equal(2, lines.Length);
    }

    [Fact]
    public async Task A_server_that_says_nothing_costs_no_more_than_the_time_limit()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var home = new TempHome();
        home.WriteRealm(((IPEndPoint)silent.LocalEndpoint).Port);
        var shell = new ScriptedShell { Input = new MemoryStream("password\n"u8.ToArray()), Time = TimeProvider.System };

        Assert.Equal(ExitCode.Unreachable, await home.RunAsync(shell, "login", "alice", "--password-stdin", "--timeout", "1"));

        Assert.StartsWith("kmsg: the server did not answer within 1 s", shell.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_of_another_realm_is_not_told_anything()
    {
        await using var server = new HandshakeServer();
        using var home = new TempHome();
        home.WriteRealm(server.Port);
        var shell = new ScriptedShell { Input = new MemoryStream("password\n"u8.ToArray()) };

        Assert.Equal(ExitCode.Untrusted, await home.RunAsync(shell, "login", "alice", "--password-stdin"));

        Assert.Contains("nothing was sent to it", shell.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_home_that_cannot_be_written_is_a_local_problem()
    {
        await using var server = new HandshakeServer();
        using var home = new TempHome();
        var file = TempHome.Write(home.Beside("file"), "");
        var shell = new ScriptedShell();

        Assert.Equal(
            ExitCode.LocalProblem,
            await home.RunAsync(
                shell, "realm", "add", server.Address, "--fingerprint", server.Fingerprint, "--home", Path.Combine(file, "home")));

        AssertOneLine(shell);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("""{"host":"x","port":1256}""")]
    [InlineData("""{"host":"","port":1256,"fingerprint":"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"}""")]
    [InlineData("""{"host":"x","port":0,"fingerprint":"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"}""")]
    [InlineData("""{"host":"x","port":70000,"fingerprint":"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"}""")]
    [InlineData("""{"host":"x","port":"1256","fingerprint":"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"}""")]
    [InlineData("""{"host":"x","port":1256,"fingerprint":"0011"}""")]
    public async Task A_damaged_realm_file_is_a_local_problem(string content)
    {
        using var home = new TempHome();
        TempHome.Write(home.RealmFile, content);
        var shell = new ScriptedShell();

        Assert.Equal(ExitCode.LocalProblem, await home.RunAsync(shell, "realm", "show"));

        Assert.StartsWith($"kmsg: '{home.RealmFile}' is damaged", shell.Errors, StringComparison.Ordinal);
        Assert.Contains("hint: kmsg realm remove", shell.Errors, StringComparison.Ordinal);
        Assert.Empty(shell.Written);
    }

    [Fact]
    public async Task A_damaged_realm_file_can_be_removed()
    {
        using var home = new TempHome();
        TempHome.Write(home.RealmFile, "{");

        Assert.Equal(ExitCode.Ok, await home.RunAsync(new ScriptedShell(), "realm", "remove"));

        Assert.False(File.Exists(home.RealmFile));
    }

    [Fact]
    public async Task A_fault_of_the_program_is_one_line_without_a_stack_trace()
    {
        using var home = new TempHome();
        home.WriteRealm();
        var shell = new ScriptedShell { Output = new ThrowingWriter(new InvalidOperationException("two\nlines")) };

        Assert.Equal(ExitCode.Unexpected, await home.RunAsync(shell, "realm", "show"));

        Assert.StartsWith("kmsg: unexpected error: InvalidOperationException: two␊lines", shell.Errors, StringComparison.Ordinal);
        AssertOneLine(shell);
    }

    [Fact]
    public async Task A_closed_pipe_is_a_quiet_end()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has its own code for it.");
        using var home = new TempHome();
        home.WriteRealm();
        var shell = new ScriptedShell { Output = new ThrowingWriter(new IOException("Broken pipe", 32)) };

        Assert.Equal(ExitCode.Ok, await home.RunAsync(shell, "realm", "show"));

        Assert.Empty(shell.Errors);
    }

    [Fact]
    public async Task A_full_disk_is_not_a_quiet_end()
    {
        using var home = new TempHome();
        home.WriteRealm();
        var shell = new ScriptedShell { Output = new ThrowingWriter(new IOException("No space left on device", 28)) };

        Assert.Equal(ExitCode.LocalProblem, await home.RunAsync(shell, "realm", "show"));

        Assert.Equal($"kmsg: No space left on device{Environment.NewLine}", shell.Errors);
    }

    [Fact]
    public async Task A_signal_at_a_prompt_interrupts()
    {
        using var home = new TempHome();
        home.WriteRealm();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var shell = new ScriptedShell { Keys = "half a passw" };

        var running = home.RunAsync(shell, stop.Token, "login", "alice");
        await stop.CancelAsync();

        Assert.Equal(ExitCode.Interrupted, await running);
    }

    [Fact]
    public void What_a_server_named_cannot_drive_the_terminal()
    {
        var error = new StringWriter();

        FailureReport.Of(new MessagingException(MessagingFailure.Refused, "no \e[2J\r\nkmsg: all is well"), Cancel).WriteTo(error);

        Assert.Equal($"kmsg: no ␛[2J␍␊kmsg: all is well{Environment.NewLine}", error.ToString());
    }

    private static void AssertOneLine(ScriptedShell shell)
    {
        Assert.StartsWith("kmsg: ", shell.Errors, StringComparison.Ordinal);
        Assert.Single(shell.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => !line.StartsWith("hint: ", StringComparison.Ordinal));
        Assert.DoesNotContain("   at ", shell.Errors, StringComparison.Ordinal);
        Assert.Empty(shell.Written);
    }

    private static int ClosedPort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private sealed class ThrowingWriter(Exception exception) : StringWriter
    {
        public override void WriteLine(string? value) => throw exception;
    }
}
