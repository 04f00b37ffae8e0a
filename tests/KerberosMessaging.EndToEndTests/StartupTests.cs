using System.Net;
using System.Net.Sockets;
using KerberosMessaging.EndToEndTests.Support;

namespace KerberosMessaging.EndToEndTests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>A server that cannot start says why in one line, and its exit code says that it did not.</summary>
public sealed class StartupTests : IDisposable
{
    private const string Auth = "KerberosMessaging.AuthServer";
    private const string Message = "KerberosMessaging.MessageServer";

    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 120_000;

    // As good as any for a server that is not to come so far as to use it.
    private static readonly string[] Enrolment =
        ["--Realm:Port=1", $"--Realm:Fingerprint={new string('a', 64)}", "--Realm:EnrolmentToken=token"];

    private readonly TempFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory(Timeout = Patience)]
    [InlineData(Auth, "Wire:Port")]
    [InlineData(Auth, "Admin:Port")]
    [InlineData(Message, "Wire:Port")]
    [InlineData(Message, "Admin:Port")]
    public async Task A_port_in_use_is_named(string program, string option)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        try
        {
            var port = ((IPEndPoint)listener.LocalEndpoint).Port;
            var other = option == "Wire:Port" ? "Admin:Port" : "Wire:Port";

            var line = await RefuseAsync(program, ["--Wire:Address=127.0.0.1", $"--{option}={port}", $"--{other}=0"]);

            Assert.Contains($"{port}", line, StringComparison.Ordinal);
        }
        finally
        {
            listener.Stop();
        }
    }

    [Theory(Timeout = Patience)]
    [InlineData(Auth)]
    [InlineData(Message)]
    public async Task A_data_folder_that_cannot_be_made_is_named(string program)
    {
        await File.WriteAllTextAsync(_folder.File("file"), "", Cancel);

        var line = await RefuseAsync(program, [$"--Data:Directory={_folder.File("file/data")}"]);

        Assert.Contains(_folder.File("file/data"), line, StringComparison.Ordinal);
    }

    [Theory(Timeout = Patience)]
    [InlineData(Auth, "Wire:Port=99999", "Port")]
    [InlineData(Auth, "Wire:Port=many", "Port")]
    [InlineData(Auth, "Auth:TicketLife=-00:00:01", "TicketLife")]
    [InlineData(Auth, "Auth:TicketLife=long", "TicketLife")]
    [InlineData(Auth, "Admin:Address=everywhere", "Address")]
    [InlineData(Message, "Wire:Port=99999", "Port")]
    [InlineData(Message, "Mailbox:MaxMessages=0", "MaxMessages")]
    [InlineData(Message, "Realm:Fingerprint=0123", "Fingerprint")]
    [InlineData(Message, "Wire:Port=many", "Port")]
    public async Task A_wrong_option_is_named(string program, string option, string name)
    {
        var line = await RefuseAsync(program, [$"--{option}"]);

        Assert.Contains(name, line, StringComparison.Ordinal);
    }

    [Theory(Timeout = Patience)]
    [InlineData(Auth, "auth.db")]
    [InlineData(Message, "message.db")]
    public async Task A_damaged_database_is_said_to_be_one(string program, string database)
    {
        Directory.CreateDirectory(_folder.File("data"));
        await File.WriteAllTextAsync(_folder.File($"data/{database}"), new string('x', 10_000), Cancel);

        var line = await RefuseAsync(program, []);

        Assert.Contains("database", line, StringComparison.Ordinal);
    }

    [Fact(Timeout = Patience)]
    public async Task A_message_server_that_lacks_fingerprint_and_token_asks_for_both()
    {
        var line = await RunAsync(Message, [$"--Data:Directory={_folder.File("data")}", "--Wire:Port=0", "--Admin:Port=0"]);

        Assert.Contains("Realm:Fingerprint", line, StringComparison.Ordinal);
        Assert.Contains("Realm:EnrolmentToken", line, StringComparison.Ordinal);
    }

    [Fact(Timeout = Patience)]
    public async Task A_second_message_server_on_the_same_data_is_refused()
    {
        await using var realm = await Realm.StartAsync(Cancel);

        await RefuseAsync(Message, [$"--Data:Directory={realm.Folder.File("message")}"]);
    }

    // Last wins: what a test sets stands at the end.
    private Task<string> RefuseAsync(string program, IEnumerable<string> args) => RunAsync(
        program,
        [$"--Data:Directory={_folder.File("data")}", "--Wire:Port=0", "--Admin:Port=0", .. program == Message ? Enrolment : [], .. args]);

    private async Task<string> RunAsync(string program, IEnumerable<string> args)
    {
        await using var run = ServerProgramRun.Start(program, _folder.Path, args);
        var code = await run.WaitForExitAsync(Cancel);
        Assert.NotEqual(0, code);
        Assert.DoesNotContain(run.Output.All, static line => line.Contains("   at ", StringComparison.Ordinal));
        return Assert.Single(run.Errors.All);
    }
}
