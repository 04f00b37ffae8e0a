using KerberosMessaging.EndToEndTests.Support;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace KerberosMessaging.EndToEndTests.Browser;

/// <summary>The status page of both servers, in a real browser.</summary>
public sealed class StatusPageTests(Chromium chromium) : IAsyncLifetime
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
    public async Task The_message_server_shows_what_waits_and_since_when_while_it_happens()
    {
        await using var alice = await Person.JoinAsync(_admin.Realm, "alice", Cancel);
        await using var bob = await Person.JoinAsync(_admin.Realm, "bob", Cancel);
        Assert.Empty(await bob.ReadAllAsync(Cancel));
        await bob.Client.DisposeAsync();

        await _watched.GoAsync(_admin.Message);
        await Expect(Page.Locator("#live")).ToBeHiddenAsync();
        await Expect(Page).ToHaveTitleAsync("Message server");
        await SignInAsync(AdminRealm.Token);
        await Expect(Figure("queueDepth")).ToHaveTextAsync("0");
        await Expect(Figure("oldestMessageAt")).ToHaveTextAsync("none");

        await alice.Client.SendTextAsync("bob", "one", Cancel);
        await alice.Client.SendTextAsync("bob", "two", Cancel);

        await Expect(Figure("queueDepth")).ToHaveTextAsync("2", new() { Timeout = 30_000 });
        await Expect(Figure("oldestMessageAt")).ToHaveTextAsync(new System.Text.RegularExpressions.Regex("^[0-9]+ s$"));
        await Expect(Figure("connections")).Not.ToHaveTextAsync("0");
        await Expect(Page.Locator("#rate")).ToBeVisibleAsync();
        await Expect(Page.Locator("#line")).ToHaveAttributeAsync("d", new System.Text.RegularExpressions.Regex("^M"));
        await Expect(Page.Locator("#events tbody tr").First).ToBeVisibleAsync();
        await _watched.KeepPictureAsync("status-message", whole: true);
        _watched.AssertQuiet();
    }

    [Fact]
    public async Task The_auth_server_shows_its_clients_its_health_and_the_newest_events()
    {
        await Person.RegisterAsync(_admin.Realm, "alice", Cancel);
        await _watched.GoAsync(_admin.Auth);
        await Expect(Page).ToHaveTitleAsync("Auth server");
        await SignInAsync(AdminRealm.Token);

        await Expect(Figure("clients")).ToHaveTextAsync("1");
        await Expect(Figure("messageServers")).ToHaveTextAsync("1");
        await Expect(Page.Locator("#rate")).ToBeHiddenAsync();
        await Expect(Page.Locator("#events tbody tr").Filter(new() { HasText = "Client registered" })).ToHaveCountAsync(1);
        await Expect(Page.Locator("#check-list li").First).ToBeVisibleAsync();
        await _watched.KeepPictureAsync("status-auth", whole: true);
        _watched.AssertQuiet();
    }

    [Fact]
    public async Task A_wrong_token_is_told_and_a_forgotten_one_shows_nothing_more()
    {
        await _watched.GoAsync(_admin.Auth);
        await SignInAsync("kmsg_admin_that_nobody_made_here");
        await Expect(Page.Locator("#problem")).ToContainTextAsync("wrong");
        await Expect(Page.Locator("#live")).ToBeHiddenAsync();
        await _watched.KeepPictureAsync("status-refused");

        await SignInAsync(AdminRealm.Token);
        await Expect(Page.Locator("#live")).ToBeVisibleAsync();

        // A reload of the tab stays signed in; forgetting lasts.
        await Page.ReloadAsync();
        await Expect(Page.Locator("#live")).ToBeVisibleAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Forget the token" }).ClickAsync();
        await Page.ReloadAsync();
        await Expect(Page.Locator("#sign-in")).ToBeVisibleAsync();
        await Expect(Page.Locator("#live")).ToBeHiddenAsync();
        _watched.AssertQuiet();
    }

    [Fact]
    public async Task A_server_that_stops_answering_is_told_and_its_last_figures_stay()
    {
        await _watched.GoAsync(_admin.Message);
        await SignInAsync(AdminRealm.Token);
        await Expect(Page.Locator("#live")).ToBeVisibleAsync();
        await _admin.Realm.StopMessageAsync(Cancel);

        await Expect(Page.Locator("#state")).ToHaveTextAsync("Not reachable", new() { Timeout = 30_000 });
        await Expect(Page.Locator("#problem")).ToBeVisibleAsync();
        await Expect(Figure("connections")).ToBeVisibleAsync();
        await _watched.KeepPictureAsync("status-gone");
    }

    private ILocator Figure(string name) => Page.Locator($"[data-figure={name}] dd");

    private async Task SignInAsync(string token)
    {
        await Page.GetByLabel("Admin token").FillAsync(token);
        await Page.GetByRole(AriaRole.Button, new() { Name = "Show" }).ClickAsync();
    }
}
