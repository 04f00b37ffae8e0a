using System.Globalization;
using System.Text.Json;
using KerberosMessaging.EndToEndTests.Support;
using KerberosMessaging.Hosting.Wire;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace KerberosMessaging.EndToEndTests.Browser;

/// <summary>What admins do in Swagger UI, in a real browser.</summary>
public sealed class SwaggerPageTests(Chromium chromium) : IAsyncLifetime
{
    private AdminRealm _admin = null!;
    private WatchedPage _watched = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private IPage Page => _watched.Page;

    public async ValueTask InitializeAsync()
    {
        _watched = await chromium.OpenAsync();
        _admin = await AdminRealm.StartAsync(Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        if (_watched is not null)
        {
            await _watched.DisposeAsync();
        }

        if (_admin is not null)
        {
            await _admin.DisposeAsync();
        }
    }

    [Fact]
    public async Task An_admin_authorises_pages_through_clients_revokes_a_session_and_sees_its_connection_go()
    {
        await using var alice = await Person.JoinAsync(_admin.Realm, "alice", Cancel);
        await using var bob = await Person.JoinAsync(_admin.Realm, "bob", Cancel);
        await using var atBob = Inbox.Open(bob.Client);
        await alice.Client.SendTextAsync("bob", "hello", Cancel);
        Assert.Equal("hello", await atBob.NextTextAsync(Cancel));

        await OpenAsync(_admin.Auth);
        var clients = Block("get", "/admin/v1/clients");
        Assert.Equal(401, (await ExecuteAsync(clients)).Status);
        await AuthoriseAsync();
        await _watched.KeepPictureAsync("swagger-authorised");

        await Parameter(clients, "limit").FillAsync("1");
        var (status, first) = await ExecuteAsync(clients);
        Assert.Equal(200, status);
        var next = first.GetProperty("next").GetString();
        Assert.NotNull(next);
        await Parameter(clients, "cursor").FillAsync(next);
        var (_, second) = await ExecuteAsync(clients);
        Assert.Equal(["alice", "bob"], new[] { first, second }.Select(NameOfOnly).Order());
        await _watched.KeepPictureAsync("swagger-clients");

        var bobs = new[] { first, second }.Single(static page => NameOfOnly(page) == "bob").GetProperty("items")[0].GetProperty("id").GetString()!;
        var session = await LivingSessionAsync(bobs);
        var revoke = Block("post", "/admin/v1/sessions/{id}/revoke");
        await OpenBlockAsync(revoke);
        await Parameter(revoke, "id").FillAsync(session);
        Assert.Equal(204, (await ExecuteAsync(revoke)).Status);
        await Eventually.TrueAsync(() => !IsConnected("bob"), Cancel);
        Assert.True(IsConnected("alice"));
        await _watched.KeepPictureAsync("swagger-revoked");
        _watched.AssertQuiet();

        await OpenAsync(_admin.Message);
        await AuthoriseAsync();
        var connections = await ExecuteAsync(Block("get", "/admin/v1/connections"));
        Assert.DoesNotContain(
            connections.Body.GetProperty("items").EnumerateArray(), static row => row.GetProperty("clientName").GetString() == "bob");
        var stats = await ExecuteAsync(Block("get", "/admin/v1/stats"));
        Assert.Equal(200, stats.Status);
        Assert.Equal(0, stats.Body.GetProperty("queueDepth").GetInt64());
        var queues = await ExecuteAsync(Block("get", "/admin/v1/queues"));
        Assert.Contains(queues.Body.GetProperty("items").EnumerateArray(), static row => row.GetProperty("clientName").GetString() == "bob");
        await _watched.KeepPictureAsync("swagger-queues");
        _watched.AssertQuiet();
    }

    [Theory]
    [InlineData("auth")]
    [InlineData("message")]
    public async Task Protected_operations_alone_are_locked_and_every_one_can_be_tried_without_editing(string server)
    {
        var address = server == "auth" ? _admin.Auth : _admin.Message;
        await OpenAsync(address);
        var operations = await OperationsAsync(address);
        Assert.NotEmpty(operations);
        foreach (var operation in operations)
        {
            await Expect(Block(operation.Method, operation.Path).Locator("button.authorization__btn"))
                .ToHaveCountAsync(operation.IsProtected ? 1 : 0);
        }

        await AuthoriseAsync();
        var wrong = new List<string>();

        // What ends things comes last, so that the others meet a server that works.
        foreach (var operation in operations.OrderBy(static operation => operation.Path.EndsWith("/drain", StringComparison.Ordinal)).ThenBy(static operation => operation.Method != "get"))
        {
            var block = Block(operation.Method, operation.Path);
            var (status, _) = await ExecuteAsync(block);

            // An example id is nobody's: 404. A state that forbids it is 409.
            if (status is not (>= 200 and < 300 or 404 or 409))
            {
                wrong.Add($"{operation.Method} {operation.Path}: {status}");
            }

            await block.Locator(".opblock-summary").ClickAsync();
        }

        Assert.Empty(wrong);
        await _watched.KeepPictureAsync($"swagger-{server}");
        _watched.AssertQuiet();
    }

    private static string NameOfOnly(JsonElement page) => Assert.Single(page.GetProperty("items").EnumerateArray()).GetProperty("name").GetString()!;

    private bool IsConnected(string name) => _admin.Realm.MessageServices.GetRequiredService<ConnectionRegistry>().All
        .Any(connection => connection.Principal?.ClientName == name);

    private async Task<string> LivingSessionAsync(string client)
    {
        var block = Block("get", "/admin/v1/clients/{id}");
        await OpenBlockAsync(block);
        await Parameter(block, "id").FillAsync(client);
        var (status, body) = await ExecuteAsync(block);
        Assert.Equal(200, status);
        return Assert.Single(body.GetProperty("sessions").EnumerateArray()).GetProperty("id").GetString()!;
    }

    private async Task OpenAsync(Uri server)
    {
        await _watched.GoAsync(new Uri(server, "swagger"));
        await Expect(Page.Locator(".opblock").First).ToBeVisibleAsync();
    }

    private async Task AuthoriseAsync()
    {
        await Page.Locator("button.btn.authorize").First.ClickAsync();
        var dialog = Page.Locator(".dialog-ux");
        await dialog.Locator("input").FillAsync(AdminRealm.Token);
        await dialog.Locator("button.authorize").ClickAsync();
        await dialog.Locator("button.btn-done").ClickAsync();
        await Expect(dialog).ToHaveCountAsync(0);
    }

    private ILocator Block(string method, string path) => Page
        .Locator($".opblock.opblock-{method}")
        .Filter(new() { Has = Page.Locator($".opblock-summary-path[data-path='{path}']") });

    private static ILocator Parameter(ILocator block, string name) => block.Locator($"tr[data-param-name='{name}'] input");

    private static async Task OpenBlockAsync(ILocator block)
    {
        if (await block.Locator(".opblock-body").CountAsync() == 0)
        {
            await block.Locator(".opblock-summary").ClickAsync();
        }

        await Expect(block.Locator("button.execute")).ToBeVisibleAsync();
    }

    /// <summary>Runs an operation as it stands on the page.</summary>
    private async Task<(int Status, JsonElement Body)> ExecuteAsync(ILocator block)
    {
        await OpenBlockAsync(block);
        var clear = block.Locator("button.btn-clear");
        if (await clear.CountAsync() > 0)
        {
            await clear.ClickAsync();
        }

        var response = await Page.RunAndWaitForResponseAsync(
            () => block.Locator("button.execute").ClickAsync(), static response => response.Url.Contains("/admin/", StringComparison.Ordinal)
                || response.Url.Contains("/health", StringComparison.Ordinal) || response.Url.Contains("/metrics", StringComparison.Ordinal));

        // What the page shows, not what was sent.
        var shown = block.Locator(".live-responses-table .response-col_status").Last;
        await Expect(shown).ToContainTextAsync(response.Status.ToString(CultureInfo.InvariantCulture));
        var text = response.Status is 204 ? "" : await response.TextAsync();
        return (response.Status, text.StartsWith('{') && !text.Contains("}\n{", StringComparison.Ordinal) ? JsonDocument.Parse(text).RootElement : default);
    }

    private static async Task<List<Operation>> OperationsAsync(Uri server)
    {
        using var http = new HttpClient { BaseAddress = server };
        using var document = JsonDocument.Parse(await http.GetStringAsync(new Uri("swagger/v1/swagger.json", UriKind.Relative), Cancel));
        return
        [
            .. from path in document.RootElement.GetProperty("paths").EnumerateObject()
               from operation in path.Value.EnumerateObject()
               select new Operation(operation.Name, path.Name, operation.Value.TryGetProperty("security", out _)),
        ];
    }

    private sealed record Operation(string Method, string Path, bool IsProtected);
}
