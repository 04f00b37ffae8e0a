using System.Diagnostics;
using KerberosMessaging.AuthServer.Tests.Support;

namespace KerberosMessaging.AuthServer.Tests.Admin;

[Collection(nameof(AloneInTheProcess))]
public sealed class ManyClientsTests : IAsyncLifetime
{
    private static readonly TimeSpan MostPerPage = TimeSpan.FromMilliseconds(50);

    private TestServer _server = null!;
    private HttpClient _admin = null!;
    private ManyClients _clients = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _admin = _server.Admin();
        _clients = await ManyClients.AddAsync(_server);
    }

    public async ValueTask DisposeAsync()
    {
        await _clients.DisposeAsync();
        _admin.Dispose();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData("createdAt")]
    [InlineData("-createdAt")]
    [InlineData("name")]
    [InlineData("-lastSeenAt")]
    public async Task Paging_while_rows_come_and_go_returns_each_stable_row_exactly_once_and_is_cheap(string sort)
    {
        const int limit = 200;
        var stable = await _clients.StableAsync();
        var pages = 0;
        var before = Process.GetCurrentProcess().TotalProcessorTime;

        var seen = (await _admin.ListAllAsync($"/clients?sort={sort}", limit, () =>
        {
            pages++;
            return _clients.ChurnAsync(isSeen: sort != "-lastSeenAt");
        })).Select(AdminCalls.Id).ToList();

        var perPage = (Process.GetCurrentProcess().TotalProcessorTime - before) / pages;
        Assert.InRange(pages, ManyClients.Count / limit * 9 / 10, int.MaxValue);
        Assert.Equal(seen.Count, seen.Distinct().Count());
        Assert.Empty(stable.Except(seen));
        Assert.InRange(perPage, TimeSpan.Zero, MostPerPage);
    }

    [Theory]
    [InlineData("sort=createdAt&name=user99")]
    [InlineData("sort=createdAt&name=no")]
    [InlineData("sort=lastSeenAt&name=user")]
    [InlineData("sort=name&createdFrom=2026-01-01T00:00:00Z")]
    [InlineData("sort=-name&lastSeenTo=1970-01-01T00:00:01Z")]
    [InlineData("state=disabled")]
    [InlineData("state=deleted&sort=-lastSeenAt")]
    [InlineData("homeServer=7d3e9a52-04bf-4c18-9e61-2f8a5b0c6d97")]
    [InlineData("living=true")]
    public async Task A_filter_that_finds_little_or_nothing_is_cheap_too(string query)
    {
        const int times = 5;
        await _admin.ReadAsync($"/clients?{query}");
        var before = Process.GetCurrentProcess().TotalProcessorTime;

        for (var i = 0; i < times; i++)
        {
            await _admin.ReadAsync($"/clients?{query}");
        }

        // Every client is looked at, in an order in which each may be on another page of the file.
        Assert.InRange((Process.GetCurrentProcess().TotalProcessorTime - before) / times, TimeSpan.Zero, MostPerPage * 6);
    }

    [Fact]
    public async Task Numbers_of_many_are_cheap()
    {
        const int times = 20;
        Assert.Equal(ManyClients.Count, (await _admin.ReadAsync("/stats")).GetProperty("clients").GetInt32());
        var before = Process.GetCurrentProcess().TotalProcessorTime;

        for (var i = 0; i < times; i++)
        {
            // Each is counted anew.
            _server.Time.Advance(TimeSpan.FromSeconds(2));
            await _admin.ReadAsync("/stats");
        }

        Assert.InRange((Process.GetCurrentProcess().TotalProcessorTime - before) / times, TimeSpan.Zero, MostPerPage);
    }
}
