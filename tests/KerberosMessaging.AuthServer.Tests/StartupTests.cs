using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;
using Microsoft.Extensions.Logging;

namespace KerberosMessaging.AuthServer.Tests;

/// <summary>An operator who does something wrong is told what, in one line.</summary>
public sealed partial class StartupTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("Auth:TicketLife=0", "TicketLife", "00:00:01")]
    [InlineData("Auth:TicketLife=8.00:00:00", "TicketLife", "7.00:00:00")]
    [InlineData("Auth:TicketLife=soon", "Auth:TicketLife", "soon")]
    [InlineData("Auth:RenewableLife=01:00:00", "RenewableLife", "TicketLife")]
    [InlineData("Auth:ServiceTicketLife=2.00:00:00", "ServiceTicketLife", "1.00:00:00")]
    [InlineData("Auth:EnrolmentTokenLife=-1", "EnrolmentTokenLife", "00:00:01")]
    [InlineData("Auth:MinimumPasswordLength=0", "MinimumPasswordLength", "128")]
    [InlineData("Auth:Stretching=Identity", "Stretching", "")]
    [InlineData("Auth:Stretching=md5", "Auth:Stretching", "md5")]
    [InlineData("Wire:Port=70000", "Port", "65535")]
    [InlineData("Wire:Port=x", "Wire:Port", "'x'")]
    [InlineData("Wire:Address=nowhere", "Address", "IP address")]
    [InlineData("Wire:SignInDeadlineSeconds=0", "SignInDeadlineSeconds", "1")]
    [InlineData("Admin:Address=nowhere", "Address", "IP address")]
    [InlineData("Admin:TokenFile=/nowhere/token", "/nowhere/token", "does not exist")]
    [InlineData("Data:Directory=", "Directory", "required")]
    public async Task A_wrong_option_is_named_before_anything_is_made(string option, string name, string value)
    {
        var e = await Record.ExceptionAsync(() => BuildAsync($"--{option}"));

        var line = ServerProgram.Explain(e!);
        Assert.NotNull(line);
        Assert.Contains(name, line, StringComparison.Ordinal);
        Assert.Contains(value, line, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', line);
        Assert.False(File.Exists(_folder.File("data/admin-token.hash")));
    }

    [Fact]
    public async Task Several_wrong_options_are_named_together()
    {
        var e = await Record.ExceptionAsync(() => BuildAsync("--Auth:TicketLife=0", "--Auth:ServiceTicketLife=0"));

        var line = ServerProgram.Explain(e!);
        Assert.Contains("Auth:TicketLife", line, StringComparison.Ordinal);
        Assert.Contains("Auth:ServiceTicketLife", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_data_folder_that_cannot_be_made_is_named()
    {
        await File.WriteAllTextAsync(_folder.File("file"), "not a folder", Cancel);
        foreach (var folder in new[] { _folder.File("file"), _folder.File("file/data") })
        {
            var e = await Assert.ThrowsAsync<StartupException>(() => BuildAsync($"--Data:Directory={folder}"));
            Assert.Contains($"'{folder}'", e.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', ServerProgram.Explain(e)!);
        }
    }

    [Fact]
    public async Task A_damaged_database_is_told()
    {
        Directory.CreateDirectory(_folder.File("data"));
        await File.WriteAllTextAsync(_folder.File("data/auth.db"), new string('x', 5000), Cancel);

        var e = await Record.ExceptionAsync(() => BuildAsync());

        Assert.Contains("database", ServerProgram.Explain(e!), StringComparison.Ordinal);
    }

    [Fact]
    public void A_fault_of_the_server_s_own_is_not_explained_away()
    {
        Assert.Null(ServerProgram.Explain(new InvalidOperationException("a bug")));
        Assert.Null(ServerProgram.Explain(new ArgumentException("a bug")));
        Assert.Null(ServerProgram.Explain(new AggregateException(new StartupException("not all"), new InvalidOperationException("a bug"))));
    }

    [Fact]
    public async Task A_used_port_ends_the_program_with_one_line_and_the_new_admin_token_is_not_lost()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        using var server = new ServerProcess([.. Arguments(), $"--Wire:Port={port}"]);

        var (exitCode, output, errors) = await server.EndAsync();

        Assert.Equal(ServerProgram.CannotStart, exitCode);
        AssertOneLine(errors, $"{port}", "in use");
        Assert.DoesNotContain("Exception", output, StringComparison.Ordinal);
        Assert.Contains("admin token, shown only this once: kmsg_admin_", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_option_ends_the_program_with_one_line()
    {
        using var server = new ServerProcess([.. Arguments(), "--Auth:TicketLife=soon"]);

        var (exitCode, output, errors) = await server.EndAsync();

        Assert.Equal(ServerProgram.CannotStart, exitCode);
        AssertOneLine(errors, "Auth:TicketLife");
        Assert.Equal("", output);
    }

    [Fact]
    public async Task A_data_folder_that_cannot_be_written_ends_the_program_with_one_line()
    {
        await File.WriteAllTextAsync(_folder.File("data"), "not a folder", Cancel);
        using var server = new ServerProcess(Arguments());

        var (exitCode, output, errors) = await server.EndAsync();

        Assert.Equal(ServerProgram.CannotStart, exitCode);
        AssertOneLine(errors, _folder.File("data"));
        Assert.Equal("", output);
    }

    [Fact]
    public async Task SIGTERM_ends_the_program_in_under_two_seconds_with_idle_clients_told()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no SIGTERM.");
        using var server = new ServerProcess(Arguments());
        Assert.Matches("^auth server: realm fingerprint [0-9a-f]{64}$", await server.ReadLineAsync());
        Assert.Matches("^auth server: admin token, shown only this once: kmsg_admin_[A-Za-z0-9_-]{43}$", await server.ReadLineAsync());
        var banner = BannerFormat().Match(await server.ReadLineAsync());
        Assert.True(banner.Success);
        var notice = new TaskCompletionSource<Notice>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var client = await RequestConnection.ConnectAsync(
            "127.0.0.1",
            int.Parse(banner.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture),
            static _ => true,
            new ChannelOptions(),
            (_, payload) =>
            {
                notice.SetResult(Protocol.WireReader.ReadWhole<Notice>(payload.Span));
                return ValueTask.CompletedTask;
            },
            Cancel);

        var watch = Stopwatch.StartNew();
        await server.TerminateAsync();
        var (exitCode, _, errors) = await server.EndAsync();

        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(2), $"{watch.Elapsed}");
        Assert.Equal((0, ""), (exitCode, errors));
        Assert.Equal(NoticeKind.ShuttingDown, (await Wait.ForAsync(notice.Task)).Kind);
    }

    private static void AssertOneLine(string errors, params string[] parts)
    {
        Assert.StartsWith("auth server: cannot start: ", errors, StringComparison.Ordinal);
        Assert.Equal(errors.TrimEnd().Length, errors.IndexOf('\n', StringComparison.Ordinal));
        foreach (var part in parts)
        {
            Assert.Contains(part, errors, StringComparison.Ordinal);
        }
    }

    [GeneratedRegex(@"^auth server: clients connect to 127\.0\.0\.1:(\d+), Swagger is at http://127\.0\.0\.1:\d+/swagger$")]
    private static partial Regex BannerFormat();

    private string[] Arguments() =>
        [$"--Data:Directory={_folder.File("data")}", "--Wire:Address=127.0.0.1", "--Wire:Port=0", "--Admin:Port=0"];

    private async Task BuildAsync(params string[] args)
    {
        var app = await AuthServerApp.BuildAsync([.. Arguments(), .. args], static builder => builder.Logging.ClearProviders());
        await app.DisposeAsync();
    }
}
