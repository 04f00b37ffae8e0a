using System.Net;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Hosting.Tests.Admin;

namespace KerberosMessaging.AuthServer.Tests.Admin;

/// <summary>What every operation of the admin API promises, held for each that the OpenAPI document names.</summary>
public sealed class AdminConventionTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private HttpClient _admin = null!;
    private OpenApiWalk _walk = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _admin = _server.Admin();
        _walk = await OpenApiWalk.StartAsync(_admin, TestServer.AdminToken);
    }

    public async ValueTask DisposeAsync()
    {
        _walk?.Dispose();
        _admin?.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public Task The_document_is_the_one_that_is_checked_in() => _walk.IsCheckedInAsync("openapi-auth.json");

    [Fact]
    public void Every_operation_is_documented() => _walk.AreDocumented();

    [Fact]
    public Task No_operation_answers_without_a_token() => _walk.AreClosedWithoutATokenAsync();

    [Fact]
    public Task No_operation_answers_a_token_that_lacks_its_scope() => _walk.AreClosedToTokensThatLackTheScopeAsync();

    [Fact]
    public Task Bad_input_is_refused_by_the_name_of_the_field() => _walk.RefuseBadInputByNameAsync();

    [Fact]
    public Task Ids_of_nothing_are_not_found() => _walk.AnswerUnknownIdsWith404Async();

    [Fact]
    public async Task Changes_of_what_was_changed_meanwhile_are_refused()
    {
        var messages = await _server.EnrolAsync();
        var (account, ticket, client) = await _server.SignUpQuickAsync("alice");
        await using var signedUp = client;
        await using (var guesser = await _server.ConnectAsync())
        {
            await guesser.FailToLogInAsync("alice");
        }

        var owner = $"clients/{account.Client.Value}";
        var device = (await _admin.ListAsync($"/{owner}/devices"))[0].Id();

        // Of nobody: what has to exist here stays.
        var job = await _admin.CallAsync(
            HttpMethod.Post, "/sessions/revoke", HttpStatusCode.Accepted, new { createdBefore = DateTimeOffset.UnixEpoch });
        await _walk.RefuseStaleChangesAsync(new Dictionary<string, string>
        {
            ["clients/{id}"] = owner,
            ["clients/{id}/devices/{deviceId}"] = $"{owner}/devices/{device}",
            ["sessions/{id}"] = $"sessions/{ticket.Part.Session.Value}",
            ["servers/{id}"] = $"servers/{messages.Registered.Server.Value}",
            ["one-time-tokens/{id}"] = $"one-time-tokens/{(await _admin.MakeAsync("/invites")).Id()}",
            ["tokens/{id}"] = $"tokens/{(await _admin.ReadAsync("/tokens/self")).Id()}",
            ["lockouts/{id}"] = $"lockouts/{(await _admin.ListAsync("/lockouts"))[0].Id()}",
            ["keys/{purpose}"] = "keys/ticket",
            ["jobs/{id}"] = $"jobs/{job.Id()}",
        });
    }
}
