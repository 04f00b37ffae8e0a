using System.Net.Http.Json;
using System.Text.Json;
using KerberosMessaging.EndToEndTests.Support;

namespace KerberosMessaging.EndToEndTests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>The requests in docs/admin.http are right.</summary>
public sealed class AdminHttpTests
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 180_000;

    private static readonly string File = Path.Combine(AppContext.BaseDirectory, "docs", "admin.http");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = Patience)]
    public async Task Every_request_works_from_top_to_bottom_where_two_people_have_talked()
    {
        var file = HttpFile.Parse(await System.IO.File.ReadAllTextAsync(File, Cancel));
        using var backups = new TempFolder();
        await using var admin = await AdminRealm.StartAsync(
            Cancel, auth: [$"--Backup:Folder={backups.File("auth")}"], message: [$"--Backup:Folder={backups.File("message")}"]);
        await using var alice = await Person.JoinAsync(admin.Realm, "alice", Cancel);
        await using var bob = await Person.JoinAsync(admin.Realm, "bob", Cancel);
        await TalkAsync(alice, bob);
        using var http = new HttpClient();
        await Eventually.TrueAsync(() => HasCountedAsync(http, admin), Cancel);

        Assert.Equal(["auth", "message", "messageToken", "token"], file.Variables.Keys.Order());
        file.Variables["auth"] = admin.Auth.GetLeftPart(UriPartial.Authority);
        file.Variables["message"] = admin.Message.GetLeftPart(UriPartial.Authority);
        file.Variables["token"] = AdminRealm.Token;
        Assert.NotEmpty(file.Requests);
        var run = new HttpFileRun(http, file.Variables);
        foreach (var request in file.Requests)
        {
            var (status, body) = await run.SendAsync(request, Cancel);
            Assert.True(status is >= 200 and < 300, $"{request.Title}: {request.Method} {request.Target}: {status} {body}");
        }
    }

    [Theory]
    [InlineData("nothing = here")]
    [InlineData("@auth = http://127.0.0.1\n### No request\n# only words\n")]
    [InlineData("### Not a method\nFETCH http://127.0.0.1/\n")]
    [InlineData("### Not a header\nGET http://127.0.0.1/\nAccept\n")]
    public void What_is_no_request_is_not_passed_over(string text) => Assert.Throws<FormatException>(() => HttpFile.Parse(text));

    [Theory]
    [InlineData("{{nobody}}")]
    [InlineData("{{nobody.response.body.$.id}}")]
    [InlineData("{{nobody.response.headers.ETag}}")]
    public async Task A_reference_to_nothing_is_not_sent(string reference)
    {
        using var http = new HttpClient();
        var file = HttpFile.Parse($"### A request\nGET http://127.0.0.1/{reference}\n");
        var run = new HttpFileRun(http, file.Variables);

        await Assert.ThrowsAsync<FormatException>(() => run.SendAsync(Assert.Single(file.Requests), Cancel));
    }

    private static async Task TalkAsync(Person alice, Person bob)
    {
        await using var atAlice = Inbox.Open(alice.Client);
        await using var atBob = Inbox.Open(bob.Client);
        await alice.Client.SendTextAsync("bob", "hello", Cancel);
        Assert.Equal("hello", await atBob.NextTextAsync(Cancel));
        await bob.Client.SendTextAsync("alice", "hello yourself", Cancel);
        Assert.Equal("hello yourself", await atAlice.NextTextAsync(Cancel));
    }

    // Right after its start a message server has yet to count what waits, and the deepest mailboxes are not known.
    private static async Task<bool> HasCountedAsync(HttpClient http, AdminRealm admin)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(admin.Message, "/admin/v1/stats"));
        request.Headers.Authorization = new("Bearer", AdminRealm.Token);
        using var response = await http.SendAsync(request, Cancel);
        var stats = await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>(Cancel);
        return stats.GetProperty("queueDepth").ValueKind == JsonValueKind.Number;
    }
}
