using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using KerberosMessaging.Stack.Tests.Support;

namespace KerberosMessaging.Stack.Tests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

public sealed class StackTests : IDisposable
{
    // A test that waits for what never comes fails after this many milliseconds. A start takes some seconds of work, and many times
    // that while much else runs on the machine.
    private const int Patience = 300_000;

    // What the system promises its operators.
    private static readonly TimeSpan MostTimeToStop = TimeSpan.FromSeconds(2);

    private static readonly string[] FreePorts =
        ["--auth-port", "0", "--auth-admin-port", "0", "--message-port", "0", "--message-admin-port", "0"];

    private readonly TempFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = Patience)]
    public async Task The_demonstration_shows_a_conversation_and_that_the_servers_cannot_read_it()
    {
        var watch = Stopwatch.StartNew();
        await using var run = StackRun.Start(_folder, "--demo");
        Assert.Equal(0, await run.WaitForExitAsync(Cancel));

        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(20));
        Assert.Empty(run.Errors.All);
        var output = run.Output.All;
        const string ToBob = "Bob, the vault opens at nine. Burn this.";
        const string ToAlice = "Understood, Alice. Nine it is.";
        Assert.Equal(["alice wrote", "bob read"], output.Where(static line => line.EndsWith(ToBob, StringComparison.Ordinal)).Select(FirstWords));
        Assert.Equal(["bob wrote", "alice read"], output.Where(static line => line.EndsWith(ToAlice, StringComparison.Ordinal)).Select(FirstWords));
        Assert.Matches("[0-9a-f]{32}", Assert.Single(output, static line => line.StartsWith("server holds", StringComparison.Ordinal)));
        Assert.Single(output, static line => line.Contains("no plaintext", StringComparison.Ordinal));

        // It leaves nothing behind, neither where it was started nor among the temporary files.
        Assert.Equal(["tmp"], Directory.EnumerateFileSystemEntries(_folder.Path).Select(Path.GetFileName));
        Assert.DoesNotContain(
            Directory.EnumerateFileSystemEntries(_folder.File("tmp")),
            static entry => Path.GetFileName(entry).StartsWith("kmsg", StringComparison.Ordinal));
    }

    [Fact(Timeout = Patience)]
    public async Task The_first_start_shows_all_that_is_needed_and_a_later_one_the_same_but_the_token()
    {
        string fingerprint;
        string token;
        await using (var first = StackRun.Start(_folder, FreePorts))
        {
            fingerprint = await first.ExpectAsync("realm fingerprint", Cancel);
            Assert.Matches("^[0-9a-f]{64}$", fingerprint);
            Assert.Matches("^127.0.0.1:[0-9]+$", await first.ExpectAsync("realm address", Cancel));
            token = await first.ExpectAsync("admin token", Cancel);
            await OpensBothAsync(first, token);
            await StopsInTimeAsync(first, StackRun.SigTerm);
        }

        // Where it was started, unless told otherwise; for its owner alone.
        Assert.True(Directory.Exists(_folder.File("data/auth")));
        Assert.True(Directory.Exists(_folder.File("data/message")));
        Assert.DoesNotContain(
            Directory.EnumerateFiles(_folder.File("data"), "*", SearchOption.AllDirectories),
            file => File.ReadAllText(file).Contains(token, StringComparison.Ordinal));

        await using var second = StackRun.Start(_folder, FreePorts);
        Assert.Equal(fingerprint, await second.ExpectAsync("realm fingerprint", Cancel));
        await OpensBothAsync(second, token);
        await StopsInTimeAsync(second, StackRun.SigInt);
        Assert.DoesNotContain(second.Output.All, static line => line.Contains("token", StringComparison.Ordinal));
    }

    [Fact(Timeout = Patience)]
    public async Task A_first_start_that_fails_halfway_shows_the_token_all_the_same()
    {
        string token;
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        try
        {
            await using var failing = StackRun.Start(_folder, [.. FreePorts[..^2], "--message-admin-port", $"{((IPEndPoint)listener.LocalEndpoint).Port}"]);
            Assert.Equal(1, await failing.WaitForExitAsync(Cancel));
            token = await failing.ExpectAsync("admin token", Cancel);
        }
        finally
        {
            listener.Stop();
        }

        await using var run = StackRun.Start(_folder, FreePorts);
        await OpensBothAsync(run, token);
    }

    [Fact(Timeout = Patience)]
    public async Task Help_shows_every_option_and_does_not_start_anything()
    {
        await using var run = StackRun.Start(_folder, "--help");

        Assert.Equal(0, await run.WaitForExitAsync(Cancel));

        var help = string.Join('\n', run.Output.All);
        Assert.All(
            ["--data", "--address", "--auth-port", "--auth-admin-port", "--message-port", "--message-admin-port", "--demo"],
            option => Assert.Contains(option, help, StringComparison.Ordinal));
        Assert.False(Directory.Exists(_folder.File("data")));
    }

    [Theory(Timeout = Patience)]
    [InlineData("--no-such-option", "--no-such-option")]
    [InlineData("--auth-port many", "many")]
    [InlineData("--data", "--data")]
    [InlineData("something", "something")]
    public async Task A_command_line_that_makes_no_sense_is_told_in_one_line(string commandLine, string named)
    {
        var line = await RefuseAsync(2, commandLine.Split(' '));

        Assert.Contains(named, line, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.File("data")));
    }

    [Theory(Timeout = Patience)]
    [InlineData("--auth-port")]
    [InlineData("--auth-admin-port")]
    [InlineData("--message-port")]
    [InlineData("--message-admin-port")]
    public async Task A_port_in_use_is_named(string option)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        try
        {
            var port = ((IPEndPoint)listener.LocalEndpoint).Port;

            var line = await RefuseAsync(1, [.. FreePorts.Select((arg, i) => i > 0 && FreePorts[i - 1] == option ? $"{port}" : arg)]);

            Assert.Contains($"{port}", line, StringComparison.Ordinal);
        }
        finally
        {
            listener.Stop();
        }
    }

    [Fact(Timeout = Patience)]
    public async Task A_data_folder_that_cannot_be_made_is_named()
    {
        await File.WriteAllTextAsync(_folder.File("file"), "", Cancel);

        var line = await RefuseAsync(1, ["--data", _folder.File("file/data"), .. FreePorts]);

        Assert.Contains(_folder.File("file/data"), line, StringComparison.Ordinal);
    }

    [Theory(Timeout = Patience)]
    [InlineData("--address", "nowhere")]
    [InlineData("--auth-port", "99999")]
    [InlineData("--message-admin-port", "-1")]
    public async Task A_value_that_cannot_be_used_is_told_in_one_line(string option, string value) =>
        await RefuseAsync(1, [.. FreePorts.Where((arg, i) => arg != option && (i == 0 || FreePorts[i - 1] != option)), option, value]);

    private static string FirstWords(string line) => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Take(2));

    private static async Task OpensBothAsync(StackRun run, string token)
    {
        using var http = new HttpClient();
        foreach (var (server, list) in new[] { ("auth server", "admin/v1/clients"), ("message server", "admin/v1/queues") })
        {
            var swagger = new Uri(await run.ExpectAsync($"{server} ", Cancel));
            Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(swagger, Cancel)).StatusCode);
            var resource = new Uri(swagger, $"/{list}");
            Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync(resource, Cancel)).StatusCode);
            using var request = new HttpRequestMessage(HttpMethod.Get, resource);
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            Assert.Equal(HttpStatusCode.OK, (await http.SendAsync(request, Cancel)).StatusCode);
        }
    }

    private static async Task StopsInTimeAsync(StackRun run, int signal)
    {
        await run.ExpectAsync("Ctrl+C", Cancel);
        var watch = Stopwatch.StartNew();
        run.Signal(signal);
        Assert.Equal(0, await run.WaitForExitAsync(Cancel));
        watch.Stop();
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, MostTimeToStop);
        Assert.Empty(run.Errors.All);
    }

    private async Task<string> RefuseAsync(int code, IEnumerable<string> args)
    {
        await using var run = StackRun.Start(_folder, args);
        Assert.Equal(code, await run.WaitForExitAsync(Cancel));
        Assert.DoesNotContain(run.Output.All, static line => line.Contains("   at ", StringComparison.Ordinal));
        var line = Assert.Single(run.Errors.All);
        Assert.StartsWith("stack: ", line, StringComparison.Ordinal);
        return line;
    }
}
