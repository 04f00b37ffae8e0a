using System.Net;
using System.Net.Http.Headers;
using KerberosMessaging.Hosting.Audit;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.Hosting.Tests.Admin;

/// <summary>Whoever guesses tokens is not looked at for long.</summary>
public sealed class FailedAuthenticationTests : IAsyncLifetime
{
    private const string Wrong = "kmsg_admin_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    private readonly TempFolder _folder = new();
    private readonly MemoryStore _store = new();
    private readonly FakeTimeProvider _time = new();
    private AdminServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await AdminServer.StartSharedAsync(_folder, _store, _time);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task After_ten_wrong_tokens_the_eleventh_is_told_to_wait()
    {
        await FailAsync(10);

        using var refused = await _server.SendAsync(HttpMethod.Get, "/tokens/self", token: Wrong);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(6), refused.Headers.RetryAfter?.Delta);
        Assert.Empty(refused.Headers.WwwAuthenticate);
        Assert.Equal("rate_limited", await _server.RefusalAsync(HttpMethod.Get, "/tokens/self", HttpStatusCode.TooManyRequests, token: Wrong));
    }

    [Fact]
    public async Task One_more_is_looked_at_after_the_time_that_was_said()
    {
        await FailAsync(10);
        _time.Advance(TimeSpan.FromSeconds(5.9));
        await _server.CallAsync(HttpMethod.Get, "/tokens/self", HttpStatusCode.TooManyRequests, token: Wrong);
        _time.Advance(TimeSpan.FromSeconds(0.2));
        await FailAsync(1);
        await _server.CallAsync(HttpMethod.Get, "/tokens/self", HttpStatusCode.TooManyRequests, token: Wrong);
        _time.Advance(TimeSpan.FromMinutes(1));
        await FailAsync(10);
    }

    [Fact]
    public async Task A_token_that_was_used_from_there_before_goes_on_working_and_a_right_one_that_was_not_waits()
    {
        var made = await _server.CallAsync(HttpMethod.Post, "/tokens", HttpStatusCode.Created, new { name = "new", role = "viewer" });
        var unused = made.GetProperty("token").GetString();
        await FailAsync(10);

        await _server.CallAsync(HttpMethod.Get, "/tokens/self", HttpStatusCode.OK);
        await _server.CallAsync(HttpMethod.Get, "/tokens/self", HttpStatusCode.TooManyRequests, token: unused);
        await _server.CallAsync(HttpMethod.Delete, $"/tokens/{made.GetProperty("id").GetGuid()}", HttpStatusCode.NoContent);
        _time.Advance(TimeSpan.FromSeconds(6));
        await _server.CallAsync(HttpMethod.Get, "/tokens/self", HttpStatusCode.Unauthorized, token: unused);
    }

    [Fact]
    public async Task What_was_looked_at_is_audited_and_the_beginning_of_the_refusals_once()
    {
        await FailAsync(10);
        for (var i = 0; i < 5; i++)
        {
            await _server.CallAsync(HttpMethod.Get, "/tokens/self", HttpStatusCode.TooManyRequests, token: Wrong);
        }

        Assert.Equal(10, Count(AuditKind.AdminAuthenticationFailed));
        Assert.Equal(1, Count(AuditKind.AdminAuthenticationBlocked));
        Assert.All(
            _store.Events.Where(static happened => happened.Kind is AuditKind.AdminAuthenticationFailed or AuditKind.AdminAuthenticationBlocked),
            static happened => Assert.Equal(("anonymous", "127.0.0.1", AuditResult.Refused), (happened.Origin.Actor, happened.Origin.Address, happened.Result)));
        Assert.DoesNotContain(_store.Events, static happened => happened.ToString().Contains(Wrong, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_request_without_a_token_is_no_failure()
    {
        using var nobody = new HttpClient { BaseAddress = _server.Client.BaseAddress };
        for (var i = 0; i < 12; i++)
        {
            using var response = await nobody.GetAsync("/admin/v1/tokens/self", TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.Equal([new AuthenticationHeaderValue("Bearer", "realm=\"admin\"")], response.Headers.WwwAuthenticate);
        }

        Assert.Equal(0, Count(AuditKind.AdminAuthenticationFailed));
        await FailAsync(1);
    }

    private async Task FailAsync(int times)
    {
        for (var i = 0; i < times; i++)
        {
            await _server.CallAsync(HttpMethod.Get, "/tokens/self", HttpStatusCode.Unauthorized, token: Wrong);
        }
    }

    private int Count(AuditKind kind) => _store.Events.Count(happened => happened.Kind == kind);
}
