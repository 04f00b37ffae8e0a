using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.AuthServer.Tests;

/// <summary>The first message server finds what it needs in a folder, and no later one does.</summary>
public sealed class HandOverTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Folder => _folder.File("handover");

    private string TokenFile => Path.Combine(Folder, HandOver.TokenFile);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_first_message_server_enrols_with_what_it_finds_and_the_token_goes_away()
    {
        await using var server = await StartAsync();
        Assert.Equal(AuthServerApp.RealmFingerprint(server.App), (await ReadAsync(HandOver.FingerprintFile)).Trim());
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(TokenFile));
        }

        await using var client = await server.ConnectAsync();
        await TestMessageServer.EnrolAsync(client, await ReadAsync(HandOver.TokenFile));

        await Eventually.TrueAsync(() => !File.Exists(TokenFile));
        await server.StopAsync();
        await server.StartAgainAsync();
        Assert.False(File.Exists(TokenFile));
        Assert.True(File.Exists(Path.Combine(Folder, HandOver.FingerprintFile)));
    }

    [Fact]
    public async Task A_realm_that_has_had_a_message_server_hands_out_no_token()
    {
        await using (var before = await TestServer.StartAsync())
        {
            await before.EnrolAsync();
            await before.StopAsync();
            CopyData(before.Folder.File("data"), _folder.File("data"));
        }

        await using var server = await StartAsync($"--Data:Directory={_folder.File("data")}");

        Assert.True(File.Exists(Path.Combine(Folder, HandOver.FingerprintFile)));
        Assert.False(File.Exists(TokenFile));
    }

    [Fact]
    public async Task A_restart_keeps_the_token()
    {
        await using var server = await StartAsync();
        var token = await ReadAsync(HandOver.TokenFile);

        await server.StopAsync();
        await server.StartAgainAsync();

        Assert.Equal(token, await ReadAsync(HandOver.TokenFile));
    }

    [Theory]
    [InlineData("")]
    [InlineData("kmsg_of_another_realm")]
    public async Task What_is_no_good_token_is_replaced(string content)
    {
        Directory.CreateDirectory(Folder);
        await File.WriteAllTextAsync(TokenFile, content, Cancel);

        await using var server = await StartAsync();

        await using var client = await server.ConnectAsync();
        await TestMessageServer.EnrolAsync(client, await ReadAsync(HandOver.TokenFile));
    }

    [Fact]
    public async Task A_token_is_renewed_before_it_expires_and_the_old_one_is_revoked()
    {
        await using var server = await StartAsync("--Auth:EnrolmentTokenLife=04:00:00");
        var first = await ReadAsync(HandOver.TokenFile);

        // Time runs out for both at once otherwise.
        await Eventually.TrueAsync(async () =>
        {
            server.Time.Advance(TimeSpan.FromMinutes(10));
            return await ReadAsync(HandOver.TokenFile) != first;
        });

        await using var client = await server.ConnectAsync();
        await server.FlushAsync();
        await Eventually.TrueAsync(() => server.ReadAsync(database => Task.FromResult(
            database.OneTimeTokens.Count(static row => row.RevokedAt != null) == 1)));
        Assert.Equal(ProtocolError.EnrolmentRefused, await client.RefusalAsync(TestMessageServer.Request(client, first)));
        await TestMessageServer.EnrolAsync(client, await ReadAsync(HandOver.TokenFile));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_stops_the_start()
    {
        await File.WriteAllTextAsync(Folder, "not a folder", Cancel);

        var e = await Assert.ThrowsAsync<StartupException>(() => StartAsync());

        Assert.Contains("Auth:HandOverFolder", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    private Task<TestServer> StartAsync(params string[] args) => TestServer.StartAsync([$"--Auth:HandOverFolder={Folder}", .. args]);

    private Task<string> ReadAsync(string file) => File.ReadAllTextAsync(Path.Combine(Folder, file), Cancel);

    private static void CopyData(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
