using System.Net;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Hosting.Audit;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Tests.Admin;

/// <summary>Whoever gets at the database file can change it, but not unseen.</summary>
public sealed class AuditTamperTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private HttpClient _admin = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Changes => new()
    {
        { "At", "\"At\" + 1" },
        { "At", "9223372036854775807" },
        { "Kind", "\"Kind\" + 1" },
        { "Kind", "\"Kind\" + 4294967296" },
        { "Result", "3 - \"Result\"" },
        { "Actor", "'client 0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40'" },
        { "Actor", "\"Actor\" || ' '" },
        { "Address", "'192.0.2.1'" },
        { "Target", "''" },
        { "Detail", "\"Detail\" || '.'" },
        { "Correlation", "'x'" },
        { "Hash", "zeroblob(32)" },
        { "Hash", "x''" },
        { "Hash", "\"Hash\" || x'00'" },
    };

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
    public async Task A_log_that_nobody_touched_is_intact_before_and_after_a_restart()
    {
        await AuditWorkload.RunAsync(_server);
        await AssertIntactAsync();

        await RestartAsync();
        await AssertIntactAsync();

        await _admin.MakeAsync("/invites");
        await AssertIntactAsync();
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task A_changed_column_is_found(string column, string value)
    {
        await MakeRowsAsync();

        // "Target" of the third row is not empty, "Detail" of the others neither.
        await _server.TamperAsync($"""UPDATE "AuditEvents" SET "{column}" = {value} WHERE "Sequence" = 3""");

        await AssertBrokenAsync(3);
    }

    [Fact]
    public async Task Text_that_moves_from_one_column_to_the_next_is_found()
    {
        await MakeRowsAsync();

        await _server.TamperAsync(
            """UPDATE "AuditEvents" SET "Actor" = "Actor" || substr("Address", 1, 1), "Address" = substr("Address", 2) WHERE "Sequence" = 3""");

        await AssertBrokenAsync(3);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_row_that_is_deleted_is_found(int row)
    {
        await MakeRowsAsync();

        await _server.TamperAsync($"""DELETE FROM "AuditEvents" WHERE "Sequence" = {row}""");

        await AssertBrokenAsync(row);
    }

    [Fact]
    public async Task A_gap_that_is_closed_again_is_found()
    {
        await MakeRowsAsync();

        await _server.TamperAsync(
            """
            DELETE FROM "AuditEvents" WHERE "Sequence" = 3;
            UPDATE "AuditEvents" SET "Sequence" = 3 WHERE "Sequence" = 4;
            UPDATE "AuditEvents" SET "Sequence" = 4 WHERE "Sequence" = 5;
            UPDATE "AuditHeads" SET "Sequence" = 4;
            """);

        await AssertBrokenAsync(3);
    }

    [Fact]
    public async Task Two_rows_that_change_places_are_found()
    {
        await MakeRowsAsync();

        await _server.TamperAsync(
            """
            UPDATE "AuditEvents" SET "Sequence" = 100 WHERE "Sequence" = 2;
            UPDATE "AuditEvents" SET "Sequence" = 2 WHERE "Sequence" = 3;
            UPDATE "AuditEvents" SET "Sequence" = 3 WHERE "Sequence" = 100;
            """);

        await AssertBrokenAsync(2);
    }

    [Fact]
    public async Task Rows_that_are_cut_off_at_the_end_are_found()
    {
        await MakeRowsAsync();

        await _server.TamperAsync("""DELETE FROM "AuditEvents" WHERE "Sequence" > 3""");
        await AssertBrokenAsync(4);

        // What the server writes afterwards does not close the gap.
        await _admin.MakeAsync("/invites");
        await AssertBrokenAsync(4);
    }

    [Theory]
    [InlineData("""DELETE FROM "AuditEvents" WHERE "Sequence" > 3""", 4)]
    [InlineData("""DELETE FROM "AuditEvents" WHERE "Sequence" > 3; UPDATE "AuditHeads" SET "Sequence" = 3""", 4)]
    [InlineData("""DELETE FROM "AuditEvents" WHERE "Sequence" > 3; DELETE FROM "AuditHeads" """, 4)]
    [InlineData("""DELETE FROM "AuditEvents" """, 1)]
    public async Task Rows_that_are_cut_off_while_the_server_is_away_are_found_after_its_start(string sql, int row)
    {
        await MakeRowsAsync();
        await _server.StopAsync();

        await _server.TamperAsync(sql);

        await _server.StartAgainAsync();
        _admin.Dispose();
        _admin = _server.Admin();
        await AssertBrokenAsync(row);
        await RestartAsync();
        await AssertBrokenAsync(row);
    }

    [Fact]
    public async Task An_end_that_is_moved_to_where_the_rows_end_is_found()
    {
        await MakeRowsAsync();

        await _server.TamperAsync(
            """
            DELETE FROM "AuditEvents" WHERE "Sequence" > 3;
            UPDATE "AuditHeads" SET "Sequence" = 3;
            """);

        await AssertBrokenAsync(4);
    }

    [Fact]
    public async Task An_end_that_is_deleted_is_found()
    {
        await MakeRowsAsync();

        await _server.TamperAsync("""DELETE FROM "AuditHeads" """);

        await AssertBrokenAsync(6);
    }

    [Fact]
    public async Task An_end_of_another_time_is_found()
    {
        await MakeRowsAsync();

        await _server.TamperAsync("""UPDATE "AuditHeads" SET "Mac" = zeroblob(32)""");

        await AssertBrokenAsync(6);
    }

    [Fact]
    public async Task A_log_that_is_emptied_is_found()
    {
        await MakeRowsAsync();

        await _server.TamperAsync("""DELETE FROM "AuditEvents"; DELETE FROM "AuditHeads";""");

        await AssertBrokenAsync(1);
    }

    [Theory]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(1000)]
    public async Task A_row_that_is_added_at_the_end_is_found(int row)
    {
        await MakeRowsAsync();

        await ForgeAsync(row);

        await AssertBrokenAsync(6);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public async Task A_row_that_is_added_before_the_first_is_found(int row)
    {
        await MakeRowsAsync();

        await ForgeAsync(row);

        await AssertBrokenAsync(1);
    }

    [Fact]
    public async Task A_row_where_the_next_one_belongs_stops_what_would_have_to_be_written_there()
    {
        await MakeRowsAsync();
        await ForgeAsync(6);

        await _admin.ProblemAsync(HttpMethod.Post, "/invites", HttpStatusCode.InternalServerError);

        // The check tells it all the same.
        await AssertBrokenAsync(6);
        Assert.Single(await _admin.ListAsync("/one-time-tokens?limit=200"), static item => item.Text("purpose") == "invite");
    }

    // Row 1 is the start of the server, row 2 the token that it was started with.
    private async Task MakeRowsAsync()
    {
        await using var client = await _server.ConnectAsync();
        var alice = (await SampleRecord.RegisterAsync(client, "alice")).Client.Value;
        await _admin.ChangeAsync($"/clients/{alice}/disable");
        await _admin.MakeAsync("/invites");
        Assert.Equal(4, (await _server.AuditAsync()).Count);
    }

    private Task ForgeAsync(int row) => _server.TamperAsync(
        $"""
        INSERT INTO "AuditEvents" ("Sequence", "At", "Kind", "Result", "Actor", "Address", "Target", "Detail", "Correlation", "Hash")
        SELECT {row}, "At", "Kind", "Result", "Actor", "Address", "Target", "Detail", "Correlation", "Hash" FROM "AuditEvents" WHERE "Sequence" = 5
        """);

    private async Task AssertIntactAsync()
    {
        var count = (await _server.AuditAsync()).Count + 1;
        var verified = await _admin.CallAsync(HttpMethod.Post, "/audit/verify", HttpStatusCode.OK);
        Assert.True(verified.GetProperty("intact").GetBoolean());
        Assert.True(verified.IsNull("brokenAt"));
        Assert.Equal(count, verified.GetProperty("rows").GetInt32());
    }

    private async Task AssertBrokenAsync(long row)
    {
        var verified = await _admin.CallAsync(HttpMethod.Post, "/audit/verify", HttpStatusCode.OK);
        Assert.False(verified.GetProperty("intact").GetBoolean());
        Assert.Equal(row, verified.GetProperty("brokenAt").GetInt64());
        Assert.All(
            await _server.ReadAsync(static database => database.AuditEvents
                .Where(static written => written.Kind == AuditKind.AuditVerified)
                .Select(static written => written.Detail)
                .ToListAsync(Cancel)),
            detail => Assert.Equal($"broken at {row}", detail));
    }

    private async Task RestartAsync()
    {
        await _server.StopAsync();
        await _server.StartAgainAsync();
        _admin.Dispose();
        _admin = _server.Admin();
    }
}
