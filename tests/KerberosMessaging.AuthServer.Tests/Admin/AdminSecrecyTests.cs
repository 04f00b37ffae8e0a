using System.Text;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Hosting.Startup;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace KerberosMessaging.AuthServer.Tests.Admin;

/// <summary>Searches what admins are shown, and the audit log, for everything that must not be there.</summary>
public sealed class AdminSecrecyTests : IAsyncLifetime
{
    private readonly Dictionary<string, byte[]> _secrets = [];
    private TestServer _server = null!;
    private HttpClient _admin = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _admin = _server.Admin();
    }

    public async ValueTask DisposeAsync()
    {
        _admin.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task No_reply_and_no_audit_row_holds_a_secret()
    {
        await AuditWorkload.RunAsync(_server);
        var messages = await _server.EnrolAsync("msg-2");
        var (account, ticket, client) = await _server.SignUpAsync("bob");
        await using var _ = client;

        // Typed where the name belongs, as people do.
        await client.FailToLogInAsync(account.Password);
        var bob = ticket.Part.Client.Value;
        string[] making = ["/invites", "/enrolment-tokens", $"/servers/{messages.Registered.Server.Value}/enrolment-token", $"/clients/{bob}/reset-token"];
        foreach (var path in making)
        {
            _secrets[$"token of {path}"] = Encoding.UTF8.GetBytes((await _admin.MakeAsync(path)).Text("token")!);
        }

        await AddSecretsAsync(account, ticket, messages);

        string[] reading =
        [
            "/clients?includeDeleted=true", $"/clients/{bob}", $"/clients/{bob}/devices?includeRemoved=true", "/sessions", "/one-time-tokens",
            "/servers", "/lockouts", "/keys", "/audit?limit=200", "/audit/export",
        ];
        var replies = new Dictionary<string, string>();
        foreach (var path in reading)
        {
            replies[path] = await _admin.GetStringAsync($"/admin/v1{path}", Cancel);
        }

        foreach (var cursor in new[] { "/lockouts", "/clients", "/one-time-tokens", "/sessions", "/audit" })
        {
            replies[$"{cursor}, first page"] = await _admin.GetStringAsync($"/admin/v1{cursor}?limit=1", Cancel);
        }

        replies["verify"] = (await _admin.CallAsync(HttpMethod.Post, "/audit/verify", System.Net.HttpStatusCode.OK)).ToString();
        replies["audit rows"] = string.Join('\n', (await _server.AuditAsync()).Select(static row =>
            $"{row.Actor} {row.Address} {row.Target} {row.Detail} {row.Correlation} {Convert.ToHexString(row.Hash)}"));

        // Control: the search finds what is there.
        Assert.Contains(bob.ToString(), replies["/audit/export"], StringComparison.Ordinal);
        Assert.Contains("laptop", replies[$"/clients/{bob}"], StringComparison.Ordinal);
        foreach (var (path, reply) in replies)
        {
            foreach (var (what, secret) in _secrets)
            {
                foreach (var form in Forms(secret))
                {
                    Assert.False(reply.Contains(form, StringComparison.OrdinalIgnoreCase), $"{what} in {path}");
                }
            }
        }

        // Nor is it logged when it is made.
        foreach (var (_, line) in _server.Log.Lines)
        {
            foreach (var (what, token) in _secrets.Where(static secret => secret.Key.StartsWith("token", StringComparison.Ordinal)))
            {
                Assert.False(line.Contains(Encoding.UTF8.GetString(token), StringComparison.Ordinal), what);
            }
        }
    }

    private static IEnumerable<string> Forms(byte[] secret) =>
        [Encoding.UTF8.GetString(secret), Convert.ToHexString(secret), Convert.ToBase64String(secret).TrimEnd('='), string.Join(',', secret)];

    private async Task AddSecretsAsync(TestAccount account, TestTicket ticket, TestMessageServer messages)
    {
        foreach (var token in _secrets.ToArray())
        {
            _secrets[$"hash of the {token.Key}"] = OneTimeTokens.Hash(Encoding.UTF8.GetString(token.Value));
        }

        _secrets["password"] = account.PasswordBytes;
        _secrets["hash of the password as a name"] = System.Security.Cryptography.SHA256.HashData(account.PasswordBytes);
        _secrets["session key"] = ticket.SessionKey.Span.ToArray();
        _secrets["ticket"] = ticket.Bytes;
        _secrets["service key"] = messages.ServiceKey;
        _secrets["admin token"] = Encoding.UTF8.GetBytes(TestServer.AdminToken);
        var protector = _server.App.Services.GetRequiredService<IDataProtectionProvider>().CreateProtector("kmsg realm keys");
        foreach (var row in await _server.ReadAsync(static database => database.RealmKeys.AsNoTracking().ToListAsync(Cancel)))
        {
            using var opened = Sealing.Open(protector, row.Sealed);
            _secrets[$"{row.Purpose} key {row.Version}"] = opened.Span.ToArray();
            _secrets[$"{row.Purpose} key {row.Version}, sealed"] = row.Sealed;
        }

        foreach (var row in await _server.ReadAsync(static database => database.ServiceKeys.AsNoTracking().ToListAsync(Cancel)))
        {
            _secrets[$"service key {row.ServerId} {row.Version}, sealed"] = row.Sealed;
        }

        foreach (var row in await _server.ReadAsync(static database => database.Clients.AsNoTracking().ToListAsync(Cancel)))
        {
            _secrets[$"record of {row.Name}"] = row.OpaqueRecord;
            _secrets[$"masking key of {row.Name}"] = row.OpaqueRecord[32..96];
        }
    }
}
