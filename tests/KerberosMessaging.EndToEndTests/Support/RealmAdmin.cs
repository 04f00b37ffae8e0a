using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Protocol;
using Microsoft.Extensions.DependencyInjection;

namespace KerberosMessaging.EndToEndTests.Support;

/// <summary>The administrator of a realm in this process, who knows the auth server's admin token.</summary>
internal sealed class RealmAdmin : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly string _token = $"kmsg_admin_{Guid.NewGuid():N}";

    public RealmAdmin()
    {
        File.WriteAllText(TokenFile, _token);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(TokenFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    /// <summary>The command line that an auth server of this administrator has.</summary>
    public string Argument => $"--Admin:TokenFile={TokenFile}";

    private string TokenFile => _folder.File("admin-token");

    /// <summary>A token that registers one client, of one name or of any.</summary>
    public Task<string> InviteAsync(Realm realm, string? name, CancellationToken cancellationToken) =>
        TokenAsync(realm, "invites", new { name }, cancellationToken);

    /// <summary>A token with which a client sets a new password.</summary>
    public Task<string> ResetAsync(Realm realm, ClientId client, CancellationToken cancellationToken) =>
        TokenAsync(realm, $"clients/{client.Value}/reset-token", null, cancellationToken);

    public async Task DisableAsync(Realm realm, ClientId client, CancellationToken cancellationToken) =>
        (await PostAsync(realm, $"clients/{client.Value}/disable", null, cancellationToken)).Dispose();

    /// <summary>Reads from the message server's admin API; its command line needs <see cref="Argument"/>, too.</summary>
    public Task<JsonElement> ReadMessageServerAsync(Realm realm, string path, CancellationToken cancellationToken) =>
        ReadAsync(realm.Message, path, cancellationToken);

    /// <summary>Reads from the auth server's admin API.</summary>
    public Task<JsonElement> ReadAuthServerAsync(Realm realm, string path, CancellationToken cancellationToken) =>
        ReadAsync(realm.Auth, path, cancellationToken);

    public void Dispose() => _folder.Dispose();

    private async Task<JsonElement> ReadAsync(IRealmServer server, string path, CancellationToken cancellationToken)
    {
        using var http = ClientOf(server);
        return await http.GetFromJsonAsync<JsonElement>(new Uri($"admin/v1/{path}", UriKind.Relative), cancellationToken);
    }

    private HttpClient ClientOf(IRealmServer server)
    {
        var http = new HttpClient { BaseAddress = ((HostedServer)server).App.Services.GetRequiredService<AdminListener>().Address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _token);
        return http;
    }

    private async Task<string> TokenAsync(Realm realm, string path, object? body, CancellationToken cancellationToken)
    {
        using var response = await PostAsync(realm, path, body, cancellationToken);
        return (await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken)).GetProperty("token").GetString()!;
    }

    private async Task<HttpResponseMessage> PostAsync(Realm realm, string path, object? body, CancellationToken cancellationToken)
    {
        using var http = ClientOf(realm.Auth);
        var response = await http.PostAsync(
            new Uri($"admin/v1/{path}", UriKind.Relative), body is null ? null : JsonContent.Create(body), cancellationToken);
        response.EnsureSuccessStatusCode();
        return response;
    }
}
