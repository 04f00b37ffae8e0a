using System.Net;
using System.Text.Json;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Hosting.Audit;
using Microsoft.Extensions.DependencyInjection;

namespace KerberosMessaging.AuthServer.Tests.Admin;

public sealed class AuditAdminTests : IAsyncLifetime
{
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
    public async Task Events_are_listed_newest_first_and_new_ones_move_no_page()
    {
        await AuditWorkload.RunAsync(_server);
        var expected = (await _server.WholeAuditAsync()).Select(static row => row.Sequence).Reverse().ToList();

        foreach (var limit in new[] { 3, 200 })
        {
            var listed = await _admin.ListAllAsync("/audit", limit, betweenPages: () => _admin.MakeAsync("/invites"));
            Assert.Equal(expected, listed.Select(static item => item.GetProperty("sequence").GetInt64()));
            expected = [.. (await _server.WholeAuditAsync()).Select(static row => row.Sequence).Reverse()];
        }
    }

    [Fact]
    public async Task An_event_is_shown_as_it_was_written()
    {
        await AuditWorkload.RunAsync(_server);
        var rows = await _server.WholeAuditAsync();

        var items = await _admin.ListAsync("/audit?limit=200");

        Assert.Equal(rows.Count, items.Count);
        Assert.All(items.Reverse().Zip(rows), static pair => AssertSame(pair.First, pair.Second));
    }

    [Fact]
    public async Task Each_filter_gives_what_fits_and_nothing_else()
    {
        await AuditWorkload.RunAsync(_server);
        var rows = await _server.WholeAuditAsync();
        var alice = (await _admin.ListAsync("/clients"))[0].Id().ToString();
        var login = rows.First(static row => row.Kind == AuditKind.Login);

        await AssertFilterAsync("kind=Login", static row => row.Kind == AuditKind.Login, atLeast: 2);
        await AssertFilterAsync("kind=loginFailed", static row => row.Kind == AuditKind.LoginFailed, atLeast: 2);
        await AssertFilterAsync("actor=admin", static row => row.Actor == "admin file", atLeast: 7);
        await AssertFilterAsync($"actor={alice}", row => row.Actor == $"client {alice}", atLeast: 4);
        await AssertFilterAsync($"target={alice}", row => row.Target.Contains(alice) || row.Detail.Contains(alice), atLeast: 5);
        await AssertFilterAsync("target=100%25", static _ => false, atLeast: 0);
        await AssertFilterAsync("address=127.0.0.1", static row => row.Address == "127.0.0.1", atLeast: 10);
        await AssertFilterAsync("address=127.0.0", static _ => false, atLeast: 0);
        await AssertFilterAsync("result=refused", static row => row.Result == AuditResult.Refused, atLeast: 2);
        await AssertFilterAsync($"correlation={login.Correlation}", row => row.Correlation == login.Correlation, atLeast: 4);
        await AssertFilterAsync("from=2026-03-02T08:00:01Z", static row => row.At.Second >= 1, atLeast: 5);
        await AssertFilterAsync("to=2026-03-02T09:00:01%2B01:00", static row => row.At.Second < 1, atLeast: 4);
        await AssertFilterAsync(
            $"from=2026-03-02T08:00:01Z&to=2026-03-02T08:00:02Z&result=refused&actor=anonymous",
            static row => row.At.Second == 1 && row.Result == AuditResult.Refused && row.Actor == "anonymous",
            atLeast: 2);
        await _admin.WrongAsync(HttpMethod.Get, "/audit?kind=everything", "kind");
        await _admin.WrongAsync(HttpMethod.Get, "/audit?kind=2", "kind");
        await _admin.WrongAsync(HttpMethod.Get, "/audit?result=perhaps", "result");
        await _admin.WrongAsync(HttpMethod.Get, "/audit?from=yesterday", "from");

        async Task AssertFilterAsync(string query, Func<AuditRow, bool> fits, int atLeast)
        {
            var expected = rows.Where(fits).Select(static row => row.Sequence).Reverse().ToList();
            Assert.True(expected.Count >= atLeast, $"{query}: {expected.Count}");
            var found = await _admin.ListAllAsync($"/audit?{query}", limit: 4);
            Assert.Equal(expected, found.Select(static item => item.GetProperty("sequence").GetInt64()));
        }
    }

    [Fact]
    public async Task An_export_is_the_whole_chain_in_order_and_ends_with_itself()
    {
        await AuditWorkload.RunAsync(_server);

        var lines = await ExportAsync("");

        var rows = await _server.WholeAuditAsync();
        Assert.Equal(rows.Count, lines.Count);
        Assert.All(lines.Zip(rows), static pair => AssertSame(pair.First, pair.Second));
        Assert.Equal("auditExported", lines[^1].Text("kind"));
        Assert.Equal(("admin file", "all"), (lines[^1].Text("actor"), lines[^1].Text("detail")));

        // What the lines say is enough to follow the chain.
        var chain = new AuditChain(_server.Keys.Audit);
        var hash = AuditChain.Start;
        foreach (var line in lines)
        {
            hash = chain.Hash(hash, Read(line));
            Assert.Equal(Convert.ToHexStringLower(hash), line.Text("hash"));
        }

        var verified = await _admin.CallAsync(HttpMethod.Post, "/audit/verify", HttpStatusCode.OK);
        Assert.Equal(verified.Text("head"), lines[^1].Text("hash"));
    }

    [Fact]
    public async Task An_export_of_a_time_holds_that_time_alone()
    {
        await AuditWorkload.RunAsync(_server);
        var rows = await _server.WholeAuditAsync();

        var lines = await ExportAsync("?from=2026-03-02T08:00:01Z&to=2026-03-02T08:00:02Z");

        Assert.Equal(
            rows.Where(static row => row.At.Second == 1).Select(static row => row.Sequence),
            lines.Select(static line => line.GetProperty("sequence").GetInt64()));
        var export = (await _server.WholeAuditAsync())[^1];
        Assert.Equal(AuditKind.AuditExported, export.Kind);
        Assert.Equal("from 2026-03-02T08:00:01.0000000Z to 2026-03-02T08:00:02.0000000Z", export.Detail);
    }

    [Fact]
    public async Task An_export_of_many_rows_has_each_once()
    {
        // More than are read at once.
        await _server.App.Services.GetRequiredService<AuthWriter>().WriteAsync(
            static scope =>
            {
                for (var i = 0; i < 2500; i++)
                {
                    scope.Audit(new AuditEvent(AuditKind.ServerStarted, Origin.System, $"row {i}"));
                }
            },
            Cancel);

        var lines = await ExportAsync("");

        Assert.Equal(
            Enumerable.Range(1, 2503),
            lines.Select(static line => line.GetProperty("sequence").GetInt32()));
        var verified = await _admin.CallAsync(HttpMethod.Post, "/audit/verify", HttpStatusCode.OK);
        Assert.Equal((2503, true), (verified.GetProperty("rows").GetInt32(), verified.GetProperty("intact").GetBoolean()));
    }

    [Fact]
    public async Task A_check_is_written_down_with_what_it_found()
    {
        var verified = await _admin.CallAsync(HttpMethod.Post, "/audit/verify", HttpStatusCode.OK);

        Assert.Equal((2, true), (verified.GetProperty("rows").GetInt32(), verified.GetProperty("intact").GetBoolean()));
        Assert.True(verified.IsNull("brokenAt"));
        var rows = await _server.WholeAuditAsync();
        Assert.Equal(Convert.ToHexStringLower(rows[1].Hash), verified.Text("head"));
        Assert.Equal((AuditKind.AuditVerified, "2 rows, intact"), (rows[2].Kind, rows[2].Detail));
    }

    private async Task<List<JsonElement>> ExportAsync(string query)
    {
        using var response = await _admin.GetAsync($"/admin/v1/audit/export{query}", HttpCompletionOption.ResponseHeadersRead, Cancel);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/x-ndjson", response.Content.Headers.ContentType?.MediaType);
        Assert.True(response.Headers.TransferEncodingChunked);
        var text = await response.Content.ReadAsStringAsync(Cancel);
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\r', text);
        return [.. text[..^1].Split('\n').Select(static line => JsonSerializer.Deserialize<JsonElement>(line))];
    }

    private static void AssertSame(JsonElement shown, AuditRow row)
    {
        Assert.Equal(row.Sequence, shown.GetProperty("sequence").GetInt64());
        var read = Read(shown);
        Assert.Equal((row.At, row.Kind, row.Result), (read.At, read.Kind, read.Result));
        Assert.Equal((row.Actor, row.Address, row.Target), (read.Actor, read.Address, read.Target));
        Assert.Equal((row.Detail, row.Correlation), (read.Detail, read.Correlation));
        Assert.Equal(row.Hash, read.Hash);
    }

    private static AuditRow Read(JsonElement line) => new()
    {
        Sequence = line.GetProperty("sequence").GetInt64(),
        At = line.GetProperty("at").GetDateTimeOffset(),
        Kind = Enum.Parse<AuditKind>(line.Text("kind")!, ignoreCase: true),
        Result = Enum.Parse<AuditResult>(line.Text("result")!, ignoreCase: true),
        Actor = line.Text("actor")!,
        Address = line.Text("address")!,
        Target = line.Text("target")!,
        Detail = line.Text("detail")!,
        Correlation = line.Text("correlation")!,
        Hash = Convert.FromHexString(line.Text("hash")!),
    };
}
