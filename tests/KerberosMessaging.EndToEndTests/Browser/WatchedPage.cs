using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace KerberosMessaging.EndToEndTests.Browser;

/// <summary>A page of the browser, with everything that it complained about.</summary>
internal sealed class WatchedPage : IAsyncDisposable
{
    private static readonly string? Screenshots = Environment.GetEnvironmentVariable("KMSG_SCREENSHOTS");

    private readonly IBrowserContext _context;
    private readonly ConcurrentQueue<string> _complaints = [];
    private readonly ConcurrentQueue<string> _foreign = [];
    private string? _origin;

    private WatchedPage(IBrowserContext context, IPage page) => (_context, Page) = (context, page);

    public IPage Page { get; }

    public static async Task<WatchedPage> OpenAsync(IBrowserContext context)
    {
        var page = await context.NewPageAsync();
        page.SetDefaultTimeout(30_000);
        var watched = new WatchedPage(context, page);
        page.PageError += (_, error) => watched._complaints.Enqueue(error);
        page.Console += (_, message) =>
        {
            // A refused request is told on the console too; what is refused is the test's own matter.
            if (message.Type is "error" or "warning" && !message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal))
            {
                watched._complaints.Enqueue(message.Text);
            }
        };
        page.Request += (_, request) =>
        {
            if (watched._origin is { } origin && !request.Url.StartsWith(origin, StringComparison.Ordinal) && !request.Url.StartsWith("data:", StringComparison.Ordinal))
            {
                watched._foreign.Enqueue(request.Url);
            }
        };
        return watched;
    }

    public async Task GoAsync(Uri address)
    {
        _origin = address.GetLeftPart(UriPartial.Authority);
        await Page.GotoAsync(address.ToString());
    }

    /// <summary>Fails where a script failed, the content policy forbade something, or anything was asked of another server.</summary>
    public void AssertQuiet()
    {
        Assert.Empty(_complaints);
        Assert.Empty(_foreign);
    }

    /// <summary>Keeps a picture, where somebody wants to look at the pages: set KMSG_SCREENSHOTS to a folder.</summary>
    public async Task KeepPictureAsync(string name, bool whole = false)
    {
        if (Screenshots is not null)
        {
            await Page.ScreenshotAsync(new() { Path = Path.Combine(Screenshots, $"{name}.png"), FullPage = whole });
        }
    }

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();
}
