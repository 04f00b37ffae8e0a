using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using Microsoft.Extensions.DependencyInjection;

namespace KerberosMessaging.AuthServer.Tests.Admin;

public sealed class LockoutAdminTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private HttpClient _admin = null!;
    private TestClient _client = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync("--Lockout:FreeFailures=2", "--Lockout:LockoutFailures=3", "--Lockout:LockoutTime=00:15:00");
        _admin = _server.Admin();
        _client = await _server.ConnectAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        _admin.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_locked_out_client_is_listed_and_let_in_again()
    {
        var account = new TestAccount("alice");
        var alice = (await _client.RegisterAsync(account)).Client.Value;
        await LockAsync("alice");
        Assert.Equal(ProtocolError.TooManyRequests, await StartRefusalAsync("alice"));

        var listed = Assert.Single(await _admin.ListAsync($"/lockouts?client={alice}"));
        Assert.Equal(("127.0.0.1", 3), (listed.Text("address"), listed.GetProperty("failures").GetInt32()));
        Assert.Equal(alice, listed.GetProperty("clientId").GetGuid());
        Assert.False(listed.GetProperty("isForAllNames").GetBoolean());
        Assert.Equal("2026-03-02T08:00:00Z", listed.Text("firstAt"));
        Assert.Equal(_server.Time.GetUtcNow(), listed.GetProperty("lastAt").GetDateTimeOffset());
        Assert.Equal(_server.Time.GetUtcNow() + TimeSpan.FromMinutes(15), listed.GetProperty("blockedUntil").GetDateTimeOffset());

        Assert.Equal(1, await ClearAsync($"client={alice}"));
        Assert.Equal(0, await ClearAsync($"client={alice}"));

        await _client.LoginAsync(account);
        var row = (await _server.AuditAsync()).First(static row => row.Kind == AuditKind.LockoutCleared);
        Assert.Equal(("admin file", $"client {alice}"), (row.Actor, row.Target));
    }

    [Fact]
    public async Task The_list_is_filtered_by_client_by_address_and_by_being_blocked()
    {
        var alice = (await SampleRecord.RegisterAsync(_client, "alice")).Client.Value;
        await LockAsync("alice");
        await _client.FailToLogInAsync("bob");

        // Alice's, bob's and that of the address under all names.
        Assert.Equal(3, (await _admin.ListAsync("/lockouts")).Count);
        Assert.Equal(3, (await _admin.ListAsync("/lockouts?address=127.0.0.1")).Count);
        Assert.Empty(await _admin.ListAsync("/lockouts?address=192.0.2.1"));
        Assert.Single(await _admin.ListAsync("/lockouts?blocked=true"));
        Assert.Single(await _admin.ListAsync($"/lockouts?blocked=true&client={alice}&address=127.0.0.1"));
        var all = Assert.Single(await _admin.ListAsync("/lockouts"), static item => item.GetProperty("isForAllNames").GetBoolean());
        Assert.Equal(4, all.GetProperty("failures").GetInt32());
        Assert.True(all.IsNull("clientId"));
        Assert.True(all.IsNull("blockedUntil"));

        _server.Time.Advance(TimeSpan.FromMinutes(15));
        Assert.Empty(await _admin.ListAsync("/lockouts?blocked=true"));
        await _admin.WrongAsync(HttpMethod.Get, "/lockouts?address=here", "address");
    }

    [Fact]
    public async Task An_address_is_cleared_under_every_name()
    {
        await LockAsync("alice");
        await _client.FailToLogInAsync("bob");

        Assert.Equal(0, await ClearAsync("address=192.0.2.1"));
        Assert.Equal(3, await ClearAsync("address=127.0.0.1"));

        Assert.Empty(await _admin.ListAsync("/lockouts"));
        await _client.FailToLogInAsync("alice");
    }

    [Fact]
    public async Task Everything_is_cleared_only_when_that_is_said()
    {
        await LockAsync("alice");
        foreach (var query in new[] { "", "?all=false", "?all=true&address=127.0.0.1", $"?all=true&client={Guid.NewGuid()}" })
        {
            await _admin.WrongAsync(HttpMethod.Delete, $"/lockouts{query}", "all");
        }

        await _admin.WrongAsync(HttpMethod.Delete, "/lockouts?address=here", "address");
        Assert.Equal(ProtocolError.TooManyRequests, await StartRefusalAsync("alice"));

        Assert.Equal(2, await ClearAsync("all=true"));

        await _client.FailToLogInAsync("alice");
    }

    [Fact]
    public async Task One_row_is_cleared_and_the_others_stay()
    {
        await LockAsync("alice");
        await _client.FailToLogInAsync("bob");
        var locked = Assert.Single(await _admin.ListAsync("/lockouts?blocked=true"));
        Assert.Equal(locked.GetRawText(), (await _admin.ReadAsync($"/lockouts/{locked.Id()}")).GetRawText());

        await _admin.ChangeAsync(HttpMethod.Delete, $"/lockouts/{locked.Id()}");

        Assert.Equal(2, (await _admin.ListAsync("/lockouts")).Count);
        await _client.FailToLogInAsync("alice");
        await _admin.ProblemAsync(HttpMethod.Delete, $"/lockouts/{locked.Id()}", System.Net.HttpStatusCode.NotFound);
        var row = Assert.Single(await _server.AuditAsync(AuditKind.LockoutCleared));
        Assert.Contains(locked.Id().ToString(), row.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_network_is_cleared_by_any_address_in_it_or_as_it_is_listed()
    {
        foreach (var address in new[] { "2001:db8::7", "2001:db8::/64" })
        {
            using (var scope = _server.App.Services.CreateScope())
            {
                var attempt = scope.ServiceProvider.GetRequiredService<LoginGuard>()
                    .Begin("alice"u8, client: null, Origin.Anonymous("2001:db8::1", ""), out _);
                await attempt!.FailAsync(Cancel);
            }

            Assert.All(await _admin.ListAsync("/lockouts"), static item => Assert.Equal("2001:db8::/64", item.Text("address")));
            Assert.Equal(2, await ClearAsync($"address={Uri.EscapeDataString(address)}"));
        }
    }

    [Fact]
    public async Task Paging_visits_each_row_once_and_no_cursor_tells_what_was_typed()
    {
        const int names = 25;
        var guard = _server.App.Services.GetRequiredService<LoginGuard>();
        for (var i = 0; i < names; i++)
        {
            var attempt = guard.Begin(Encoding.UTF8.GetBytes($"hunter{i}"), client: null, Origin.Anonymous($"192.0.2.{i % 5}", ""), out _);
            await attempt!.FailAsync(Cancel);
        }

        foreach (var limit in new[] { 1, 7, 30, 200 })
        {
            var items = await _admin.ListAllAsync("/lockouts", limit);
            Assert.Equal(names + 5, items.Count);
            Assert.Equal(names + 5, items.Sum(static item => item.GetProperty("isForAllNames").GetBoolean() ? 5 : 1) - 20);
        }

        var hashes = Enumerable.Range(0, names).Select(static i => SHA256.HashData(Encoding.UTF8.GetBytes($"hunter{i}"))).ToList();
        for (var limit = 5; limit < names; limit++)
        {
            var cursor = (await _admin.ReadAsync($"/lockouts?limit={limit}")).Text("next")!;
            var inside = Base64Url.DecodeFromChars(cursor);
            foreach (var bytes in new[] { inside, Base64Url.DecodeFromUtf8(inside.AsSpan(17)) })
            {
                Assert.DoesNotContain(hashes, hash => bytes.AsSpan().IndexOf(hash.AsSpan(0, 4)) >= 0);
                Assert.DoesNotContain(
                    hashes,
                    hash => Encoding.Latin1.GetString(bytes).Contains(Convert.ToHexString(hash, 0, 4), StringComparison.OrdinalIgnoreCase));
            }

            await _admin.WrongAsync(HttpMethod.Get, $"/lockouts?cursor={Base64Url.EncodeToString([.. inside[..^1], (byte)'x'])}", "cursor");
        }
    }

    // Two failures are free, the third has to wait a second and locks.
    private async Task LockAsync(string name)
    {
        await _client.FailToLogInAsync(name);
        await _client.FailToLogInAsync(name);
        _server.Time.Advance(TimeSpan.FromSeconds(1));
        await _client.FailToLogInAsync(name);
    }

    private async Task<ProtocolError> StartRefusalAsync(string name)
    {
        using var login = Cryptography.OpaqueClientLogin.Start("any"u8);
        return await _client.RefusalAsync(new StartLoginRequest(name, login.Ke1.ToArray()));
    }

    private async Task<int> ClearAsync(string query)
    {
        JsonElement cleared = await _admin.CallAsync(HttpMethod.Delete, $"/lockouts?{query}", System.Net.HttpStatusCode.OK);
        return cleared.GetProperty("cleared").GetInt32();
    }
}
