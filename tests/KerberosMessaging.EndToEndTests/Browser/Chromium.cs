using KerberosMessaging.EndToEndTests.Browser;
using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(Chromium))]

namespace KerberosMessaging.EndToEndTests.Browser;

/// <summary>An installed Chromium without a window, started when the first test wants it. Without one these tests are skipped.</summary>
public sealed class Chromium : IAsyncDisposable
{
    private static readonly string[] Programs = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    private readonly Lazy<Task<IBrowser>> _browser;
    private IPlaywright? _playwright;

    /// <summary>Starts nothing yet.</summary>
    public Chromium() => _browser = new Lazy<Task<IBrowser>>(StartAsync);

    /// <summary>A browser that remembers nothing, with a window of the size of a laptop's.</summary>
    internal async Task<WatchedPage> OpenAsync()
    {
        var browser = await _browser.Value;
        return await WatchedPage.OpenAsync(await browser.NewContextAsync(new() { ViewportSize = new() { Width = 1280, Height = 900 } }));
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (_browser.IsValueCreated && _browser.Value.IsCompletedSuccessfully)
        {
            await (await _browser.Value).DisposeAsync();
        }

        _playwright?.Dispose();
    }

    private async Task<IBrowser> StartAsync()
    {
        var program = Array.Find(Programs, File.Exists);
        Assert.SkipWhen(program is null, $"No Chromium is installed: looked for {string.Join(", ", Programs)}.");
        _playwright = await Playwright.CreateAsync();
        return await _playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = program,

            // Without a sandbox, because tests also run as root; without whatever would look for the network.
            Args =
            [
                "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync",
            ],
        });
    }
}
