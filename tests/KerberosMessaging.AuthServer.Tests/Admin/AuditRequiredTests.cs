using System.Net;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Tests.Admin;

/// <summary>What cannot be written down does not happen.</summary>
public sealed class AuditRequiredTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private HttpClient _admin = null!;
    private TestMessageServer _messages = null!;
    private TestAccount _account = null!;
    private TestTicket _ticket = null!;
    private TestClient _client = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _admin = _server.Admin();
        _messages = await _server.EnrolAsync();
        (_account, _ticket, _client) = await _server.SignUpAsync("alice");
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        _admin.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task No_admin_changes_anything_while_the_log_cannot_be_written()
    {
        var token = await _admin.MakeAsync("/invites");
        var client = $"/clients/{_ticket.Part.Client.Value}";
        var server = $"/servers/{_messages.Registered.Server.Value}";
        (HttpMethod Method, string Path)[] changes =
        [
            (HttpMethod.Post, $"{client}/disable"),
            (HttpMethod.Post, $"{client}/sessions/revoke"),
            (HttpMethod.Post, $"{client}/reset-token"),
            (HttpMethod.Delete, $"{client}/devices/{_account.Device.Id.Value}"),
            (HttpMethod.Post, $"/sessions/{_ticket.Part.Session.Value}/revoke"),
            (HttpMethod.Post, "/invites"),
            (HttpMethod.Delete, $"/one-time-tokens/{token.Id()}"),
            (HttpMethod.Post, "/enrolment-tokens"),
            (HttpMethod.Post, $"{server}/enrolment-token"),
            (HttpMethod.Post, $"{server}/rotate-key"),
            (HttpMethod.Post, $"{server}/disable"),
            (HttpMethod.Post, "/keys/ticket/rotate"),
            (HttpMethod.Post, "/keys/ticket-signing/rotate"),
            (HttpMethod.Post, "/keys/opaque/rotate"),
            (HttpMethod.Delete, "/lockouts?all=true"),
            (HttpMethod.Get, "/audit/export"),
            (HttpMethod.Post, "/audit/verify"),
            (HttpMethod.Delete, client),
        ];
        await using (var guesser = await _server.ConnectAsync())
        {
            await guesser.FailToLogInAsync("alice");
        }

        var before = await DumpAsync();
        await CloseLogAsync();

        foreach (var (method, path) in changes)
        {
            await _admin.ProblemAsync(method, path, HttpStatusCode.InternalServerError);
        }

        Assert.Equal(before, await DumpAsync());

        // The server remembers nothing of it either: the session, its connection and the server's key are as they were.
        var (_, part) = await _client.RequestServiceTicketAsync(_ticket, _messages.Registered.Server);
        part.Dispose();

        await OpenLogAsync();
        foreach (var (method, path) in changes)
        {
            using var request = new HttpRequestMessage(method, $"/admin/v1{path}");
            using var response = await _admin.SendAsync(request, Cancel);
            Assert.True(response.IsSuccessStatusCode, $"{path}: {response.StatusCode}");
        }
    }

    [Fact]
    public async Task Nobody_logs_in_while_the_log_cannot_be_written()
    {
        await using var other = await _server.ConnectAsync();
        using (var proven = await other.ProvePasswordAsync(_account))
        {
            var before = await DumpAsync();
            await CloseLogAsync();
            await AssertFailsAsync(other, _account.Device.Finish(proven.Ke3, other.ChannelBinding));
            Assert.Equal(before, await DumpAsync());
        }

        await OpenLogAsync();
        await using var again = await _server.ConnectAsync();
        await again.LoginAsync(_account);
    }

    [Fact]
    public async Task A_wrong_password_is_not_told_from_a_right_one_while_the_log_cannot_be_written()
    {
        await using var other = await _server.ConnectAsync();
        using (var login = Cryptography.OpaqueClientLogin.Start("a wrong password"u8))
        {
            await other.StartLoginAsync("alice", login);
            var before = await DumpAsync();
            await CloseLogAsync();
            await AssertFailsAsync(other, _account.Device.Finish(new byte[64], other.ChannelBinding));
            Assert.Equal(before, await DumpAsync());
        }

        // It counts all the same: whoever can stop the log does not guess for free.
        await OpenLogAsync();
        await using var again = await _server.ConnectAsync();
        await again.FailToLogInAsync("alice");
        var failures = (await _admin.ListAsync($"/lockouts?client={_ticket.Part.Client.Value}"))[0];
        Assert.Equal(2, failures.GetProperty("failures").GetInt32());
    }

    [Fact]
    public async Task Nobody_registers_while_the_log_cannot_be_written()
    {
        await using var other = await _server.ConnectAsync();
        var bob = new TestAccount("bob");
        var (record, stretching) = await other.StartRegistrationAsync(bob);
        var before = await DumpAsync();
        await CloseLogAsync();

        await AssertFailsAsync(other, new FinishRegistrationRequest(bob.Name, record, stretching));

        Assert.Equal(before, await DumpAsync());
        await OpenLogAsync();
        await using var again = await _server.ConnectAsync();
        await again.RegisterAsync(bob);
    }

    [Fact]
    public async Task No_password_is_changed_while_the_log_cannot_be_written()
    {
        var changed = new TestAccount("alice");
        var before = await DumpAsync();
        await CloseLogAsync();

        await Assert.ThrowsAnyAsync<Exception>(() => _client.ChangePasswordAsync(_account, changed));

        Assert.Equal(before, await DumpAsync());
        await OpenLogAsync();
        await using var again = await _server.ConnectAsync();
        _ticket = await again.LoginAsync(_account);
        await again.ChangePasswordAsync(_account, changed);
        await again.LoginAsync(changed, _account.Device);
    }

    [Fact]
    public async Task No_server_enrols_while_the_log_cannot_be_written()
    {
        var token = (await _admin.MakeAsync("/enrolment-tokens")).Text("token")!;
        await using var other = await _server.ConnectAsync();
        var before = await DumpAsync();
        await CloseLogAsync();

        await AssertFailsAsync(other, TestMessageServer.Request(other, token));

        Assert.Equal(before, await DumpAsync());
        await OpenLogAsync();
        await using var again = await _server.ConnectAsync();
        await TestMessageServer.EnrolAsync(again, token, "msg-2");
    }

    private static async Task AssertFailsAsync(TestClient client, IWireMessage request)
    {
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => client.RequestAsync(request));
        Assert.True(failure is not RequestRefusedException { Error: not ProtocolError.Internal }, failure.ToString());
    }

    private Task CloseLogAsync() => _server.TamperAsync(
        """CREATE TRIGGER "closed" BEFORE INSERT ON "AuditEvents" BEGIN SELECT RAISE(ABORT, 'no'); END""");

    private Task OpenLogAsync() => _server.TamperAsync("""DROP TRIGGER "closed" """);

    // Every value of every table.
    private async Task<string> DumpAsync()
    {
        await using var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = _server.Folder.File("data/auth.db"), Pooling = false }.ConnectionString);
        await connection.OpenAsync(Cancel);
        var dump = new StringWriter();
        foreach (var table in await _server.ReadAsync(static database =>
            Task.FromResult(database.Model.GetEntityTypes().Select(static type => type.GetTableName()!).Order().ToList())))
        {
            await using var command = connection.CreateCommand();
            command.CommandText = $"""SELECT * FROM "{table}" ORDER BY 1, 2""";
            await using var reader = await command.ExecuteReaderAsync(Cancel);
            while (await reader.ReadAsync(Cancel))
            {
                var values = Enumerable.Range(0, reader.FieldCount).Select(column => reader.GetValue(column) is byte[] bytes ? Convert.ToHexString(bytes) : reader.GetValue(column));
                await dump.WriteLineAsync($"{table}: {string.Join('|', values)}");
            }
        }

        return dump.ToString();
    }
}
