using System.Diagnostics;
using KerberosMessaging.AuthServer.Tests.Support;

namespace KerberosMessaging.AuthServer.Tests.Admin;

[Collection(nameof(AloneInTheProcess))]
public sealed class ManyClientsTests : IAsyncLifetime
{
    private const int MostRows = 200;

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
    [InlineData("name=user99")]
    [InlineData("name=no")]
    [InlineData("name=user")]
    [InlineData("createdFrom=2026-01-01T00:00:00Z")]
    [InlineData("createdTo=1970-01-01T00:00:01Z")]
    [InlineData("lastSeenFrom=2026-01-01T00:00:00Z")]
    [InlineData("lastSeenTo=1970-01-01T00:00:01Z")]
    [InlineData("state=disabled")]
    [InlineData("state=deleted")]
    [InlineData("homeServer=7d3e9a52-04bf-4c18-9e61-2f8a5b0c6d97")]
    [InlineData("living=true")]
    [InlineData("name=user&state=active&lastSeenTo=1970-01-01T00:00:01Z&living=true")]
    public Task A_filter_that_finds_little_or_nothing_is_cheap_in_every_order_too(string filter) => ReadInEveryOrderAsync(filter, found: null);

    [Theory]
    [InlineData(4_000)]
    [InlineData(6_000)]
    [InlineData(ManyClients.Count)]
    public async Task Those_with_a_living_session_are_cheap_however_many_they_are(int sessions)
    {
        await _clients.AddSessionsAsync(sessions, _server.Time.GetUtcNow());
        await ReadInEveryOrderAsync("living=true", Math.Min(sessions, MostRows));
        await ReadInEveryOrderAsync("living=true&state=disabled", found: 0);
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

    private async Task ReadInEveryOrderAsync(string filter, int? found)
    {
        const int times = 5;
        foreach (var sort in (string[])["createdAt", "-createdAt", "name", "-name", "lastSeenAt", "-lastSeenAt"])
        {
            var query = $"/clients?limit={MostRows}&sort={sort}&{filter}";
            var rows = (await _admin.ReadAsync(query)).GetProperty("items").GetArrayLength();
            Assert.Equal(found ?? rows, rows);
            var before = Process.GetCurrentProcess().TotalProcessorTime;

            for (var i = 0; i < times; i++)
            {
                await _admin.ReadAsync(query);
            }

            var perPage = (Process.GetCurrentProcess().TotalProcessorTime - before) / times;
            Assert.True(perPage <= MostPerPage, $"{query} took {perPage.TotalMilliseconds} ms.");
        }
    }
}
