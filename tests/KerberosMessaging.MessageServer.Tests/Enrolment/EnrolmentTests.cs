using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Persistence;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.MessageServer.Tests.Enrolment;

public sealed class EnrolmentTests : IDisposable
{
    private const string GoodToken = "kmsg_enrol_good";

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly Ed25519PrivateKey _realmKey = Ed25519PrivateKey.Generate();
    private readonly ServerId _id = ServerId.New();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _realmKey.Dispose();

    [Fact]
    public async Task At_its_first_start_the_server_enrols_itself_and_then_accepts_connections()
    {
        await using var auth = new ScriptedAuthServer(_realmKey, Answer);
        await using var server = await TestServer.StartNewAsync(_time, _ => Options(auth, "--Realm:Name=first", "--Realm:AdvertisedHost=chat.example"));
        await server.Log.WaitForAsync(LogLevel.Information, "Enrolled in the realm as server " + _id, Cancellation);

        var request = Assert.Single(auth.Requests);
        Assert.Equal((GoodToken, "first", "chat.example"), (request.Token, request.Name, request.Host));
        Assert.Equal(server.App.Services.GetRequiredService<WireListener>().EndPoint.Port, request.Port);
        await using var client = await server.ConnectAsync(Cancellation, request.SigningKey);
        Assert.Equal(_id, client.Connection.Channel.Server);
        await AssertReadyAsync(server);
    }

    [Fact]
    public async Task A_later_start_needs_no_auth_server()
    {
        var auth = new ScriptedAuthServer(_realmKey, Answer);
        await using var server = await TestServer.StartNewAsync(_time, _ => Options(auth));
        await server.Log.WaitForAsync(LogLevel.Information, "Enrolled", Cancellation);
        var key = auth.Requests.Single().SigningKey;
        await auth.DisposeAsync();
        await server.StopAsync();

        await server.StartAgainAsync();
        await using var client = await server.ConnectAsync(Cancellation, key);
        Assert.Equal(_id, client.Connection.Channel.Server);
        Assert.Single(server.Log.Lines, static line => line.Text.Contains("Enrolled", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_advertised_port_is_told_when_there_is_one()
    {
        await using var auth = new ScriptedAuthServer(_realmKey, Answer);
        await using var server = await TestServer.StartNewAsync(_time, _ => Options(auth, "--Realm:AdvertisedPort=4711"));
        await server.Log.WaitForAsync(LogLevel.Information, "Enrolled", Cancellation);
        Assert.Equal(4711, Assert.Single(auth.Requests).Port);
    }

    [Fact]
    public async Task A_refused_token_is_told_and_a_new_one_in_the_file_is_tried()
    {
        await using var auth = new ScriptedAuthServer(_realmKey, Answer);
        var tokenFile = "";
        await using var server = await TestServer.StartNewAsync(_time, folder =>
        {
            tokenFile = folder.File("token");
            File.WriteAllText(tokenFile, "kmsg_enrol_used\n");
            return [.. Options(auth, $"--Realm:EnrolmentTokenFile={tokenFile}", "--Realm:EnrolmentToken=")];
        });
        var line = await server.Log.WaitForAsync(LogLevel.Error, "refused the enrolment", Cancellation);
        Assert.Contains("make a new enrolment token", line, StringComparison.Ordinal);
        await AssertNotReadyAsync(server, "refused the enrolment");
        await Assert.ThrowsAsync<ChannelException>(() => server.ConnectAsync(Cancellation));

        await File.WriteAllTextAsync(tokenFile, GoodToken, Cancellation);
        _time.Advance(TimeSpan.FromSeconds(29));
        Assert.Single(auth.Requests);
        _time.Advance(TimeSpan.FromSeconds(1));
        await server.Log.WaitForAsync(LogLevel.Information, "Enrolled", Cancellation);
        Assert.Equal(["kmsg_enrol_used", GoodToken], auth.Requests.Select(static request => request.Token));

        // A key goes with one token: with the other it may be a server's already.
        Assert.Equal(2, auth.Requests.Select(static request => Convert.ToHexString(request.SigningKey)).Distinct().Count());
        Assert.DoesNotContain(server.Log.Lines, static line => line.Text.Contains("kmsg_enrol_", StringComparison.Ordinal));
        await AssertReadyAsync(server);
    }

    [Fact]
    public async Task After_a_lost_reply_the_server_asks_again_with_the_same_key_and_so_it_does_after_a_crash()
    {
        await using var auth = new ScriptedAuthServer(_realmKey, static _ => null);
        await using var server = await TestServer.StartNewAsync(_time, _ => Options(auth));
        await server.Log.WaitForAsync(LogLevel.Warning, "did not answer", Cancellation);
        _time.Advance(TimeSpan.FromSeconds(1));
        await server.Log.WaitForAsync(LogLevel.Warning, "did not answer", Cancellation, count: 2);

        // The auth server has enrolled it by now; here nothing but the key is on disk.
        await server.StopAsync();
        auth.Enrol = Answer;
        await server.StartAgainAsync(Options(auth));
        await server.Log.WaitForAsync(LogLevel.Information, "Enrolled", Cancellation);
        Assert.Equal(3, auth.Requests.Count);
        var key = Assert.Single(auth.Requests.Select(static request => Convert.ToHexString(request.SigningKey)).Distinct());

        // What the auth server lists is what the server then signs its handshakes with.
        await using var client = await server.ConnectAsync(Cancellation, Convert.FromHexString(key));
        Assert.Equal(_id, client.Connection.Channel.Server);
    }

    [Fact]
    public async Task The_key_of_an_enrolment_is_nowhere_in_clear()
    {
        await using var auth = new ScriptedAuthServer(_realmKey, static _ => null);
        await using var server = await TestServer.StartNewAsync(_time, _ => Options(auth));
        await server.Log.WaitForAsync(LogLevel.Warning, "did not answer", Cancellation);
        using var key = await server.App.Services.GetRequiredService<ServerIdentityStore>().BeginEnrolmentAsync(
            System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(GoodToken)), Cancellation);
        Assert.Equal(Assert.Single(auth.Requests).SigningKey, key.PublicKey.ToArray());
        await server.StopAsync();
        using var seed = key.ExportSeed();
        Assert.All(
            Directory.EnumerateFiles(server.Folder, "*", SearchOption.AllDirectories),
            file => Assert.Equal(-1, File.ReadAllBytes(file).AsSpan().IndexOf(seed.Span)));
    }

    [Fact]
    public async Task A_server_with_another_fingerprint_gets_neither_name_nor_token()
    {
        using var other = Ed25519PrivateKey.Generate();
        await using var impostor = new ScriptedAuthServer(other, Answer);
        var fingerprint = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(_realmKey.PublicKey.Span));
        await using var server = await TestServer.StartNewAsync(
            _time, _ => Options(impostor, $"--Realm:Fingerprint={fingerprint}"));
        await server.Log.WaitForAsync(LogLevel.Error, "is not the realm with this fingerprint", Cancellation);
        await AssertNotReadyAsync(server, "fingerprint");
        Assert.Empty(impostor.Requests);
    }

    [Fact]
    public async Task An_auth_server_that_states_another_realm_key_is_not_believed()
    {
        using var other = Ed25519PrivateKey.Generate();
        await using var auth = new ScriptedAuthServer(
            _realmKey, _ => Registered(other.PublicKey.ToArray()));
        await using var server = await TestServer.StartNewAsync(_time, _ => Options(auth));
        await server.Log.WaitForAsync(LogLevel.Error, "realm key that is not the pinned one", Cancellation);
        await AssertNotReadyAsync(server, "not the pinned one");
    }

    [Fact]
    public async Task An_auth_server_that_is_away_is_tried_again_with_growing_delay()
    {
        int port;
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            port = ((IPEndPoint)free.LocalEndpoint).Port;
        }

        var fingerprint = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(_realmKey.PublicKey.Span));
        await using var server = await TestServer.StartNewAsync(_time, _ =>
            [$"--Realm:Port={port}", $"--Realm:Fingerprint={fingerprint}", $"--Realm:EnrolmentToken={GoodToken}"]);
        foreach (var (seconds, tries) in new[] { (1, 1), (2, 2), (4, 3), (8, 4), (16, 5), (30, 6), (30, 7) })
        {
            var line = await server.Log.WaitForAsync(LogLevel.Warning, "did not answer", Cancellation, tries);
            Assert.Contains($"The next try is in {seconds} s", line, StringComparison.Ordinal);
            Assert.Contains($"127.0.0.1:{port}", line, StringComparison.Ordinal);
            if (tries == 7)
            {
                await AssertNotReadyAsync(server, "did not answer");
                break;
            }

            _time.Advance(TimeSpan.FromSeconds(seconds));
        }

        await using var auth = new ScriptedAuthServer(_realmKey, Answer, port);
        _time.Advance(TimeSpan.FromSeconds(30));
        await server.Log.WaitForAsync(LogLevel.Information, "Enrolled", Cancellation);
    }

    [Fact]
    public async Task Files_that_another_server_is_still_about_to_write_are_waited_for()
    {
        await using var auth = new ScriptedAuthServer(_realmKey, Answer);
        TempFolder folder = null!;
        await using var server = await TestServer.StartNewAsync(_time, made =>
        {
            folder = made;
            return
            [
                $"--Realm:Port={auth.Port}",
                $"--Realm:FingerprintFile={made.File("fingerprint")}",
                $"--Realm:EnrolmentTokenFile={made.File("token")}",
            ];
        });
        await server.Log.WaitForAsync(LogLevel.Warning, "fingerprint file", Cancellation);
        await File.WriteAllTextAsync(
            folder.File("fingerprint"), string.Join(':', auth.Fingerprint.ToLowerInvariant().Chunk(2).Select(static pair => new string(pair))) + "\n", Cancellation);
        _time.Advance(TimeSpan.FromSeconds(1));
        await server.Log.WaitForAsync(LogLevel.Warning, "enrolment token file", Cancellation);
        await File.WriteAllTextAsync(folder.File("token"), GoodToken + "\n", Cancellation);
        _time.Advance(TimeSpan.FromSeconds(2));
        await server.Log.WaitForAsync(LogLevel.Information, "Enrolled", Cancellation);
    }

    [Fact]
    public async Task A_server_that_waits_for_its_enrolment_stops_at_once()
    {
        await using var server = await TestServer.StartNewAsync(
            _time, folder => ["--Realm:FingerprintFile=/nowhere", "--Realm:EnrolmentToken=x"]);
        await server.Log.WaitForAsync(LogLevel.Warning, "cannot be read yet", Cancellation);
        await server.StopAsync();
    }

    private static string[] Options(ScriptedAuthServer auth, params string[] more) =>
    [
        "--Realm:Host=127.0.0.1",
        $"--Realm:Port={auth.Port}",
        $"--Realm:Fingerprint={auth.Fingerprint}",
        $"--Realm:EnrolmentToken={GoodToken}",
        .. more,
    ];

    private IWireMessage Answer(RegisterServerRequest request) => request.Token == GoodToken
        ? Registered(_realmKey.PublicKey.ToArray())
        : new ErrorReply(ProtocolError.EnrolmentRefused, 0);

    private ServerRegistered Registered(byte[] realmKey) =>
        new(_id, new ServerKeys(realmKey, [new VersionedKey(1, new byte[32])], [new VersionedKey(1, realmKey)]));

    private static async Task AssertReadyAsync(TestServer server)
    {
        using var admin = server.Admin(withToken: false);
        HttpStatusCode status;
        do
        {
            // The log line comes a moment before.
            using var response = await admin.GetAsync("/health/ready", Cancellation);
            status = response.StatusCode;
        }
        while (status == HttpStatusCode.ServiceUnavailable);

        Assert.Equal(HttpStatusCode.OK, status);
    }

    private static async Task AssertNotReadyAsync(TestServer server, string reason)
    {
        using var admin = server.Admin(withToken: false);
        using var response = await admin.GetAsync("/health/ready", Cancellation);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        var problem = await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        Assert.Contains(reason, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }
}
