using KerberosMessaging.Hosting.Tests.Admin;
using KerberosMessaging.MessageServer.Tests.Support;

namespace KerberosMessaging.MessageServer.Tests.Admin;

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
    public Task The_document_is_the_one_that_is_checked_in() => _walk.IsCheckedInAsync("openapi-message.json");

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
}
