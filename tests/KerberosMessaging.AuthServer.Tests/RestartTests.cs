using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.AuthServer.Tests;

public sealed class RestartTests : IAsyncLifetime
{
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task The_realm_keeps_its_key_its_clients_its_servers_and_its_sessions()
    {
        var fingerprint = AuthServerApp.RealmFingerprint(_server.App);
        var id = _server.Keys.Server;
        var messages = await _server.EnrolAsync();
        var unusedToken = await AuthServerApp.CreateEnrolmentTokenAsync(_server.App);
        var (account, ticket, client) = await _server.SignUpAsync("alice");
        await using (client)
        {
            await _server.StopAsync();
            Assert.Equal(NoticeKind.ShuttingDown, (await client.NextNoticeAsync()).Kind);
            await client.EndedAsync();
        }

        await _server.StartAgainAsync();

        Assert.Equal(fingerprint, AuthServerApp.RealmFingerprint(_server.App));
        await using var again = await _server.ConnectAsync();
        Assert.Equal(id, again.Connection.Channel.Server);
        await again.PresentAsync(ticket);
        var (serviceTicket, part) = await again.RequestServiceTicketAsync(ticket, messages.Registered.Server);
        part.Dispose();
        Assert.NotNull(messages.Open(serviceTicket));
        Assert.Equal(ticket.Part.Client, (await again.RequestAsync<ClientFound>(new LookUpClientRequest("alice"))).Client);
        Assert.Equal(ticket.Part.Certificate, (await again.LoginAsync(account)).Part.Certificate);
        Assert.Equal(
            RegistrationRefusal.NameTaken,
            await again.RegistrationRefusalAsync(new RegisterClientRequest("Alice", "", SampleRecord.Element())));
        await TestMessageServer.EnrolAsync(again, unusedToken, "msg-2");
    }

    [Fact]
    public async Task A_name_that_does_not_exist_looks_the_same_after_a_restart()
    {
        using var login = Cryptography.OpaqueClientLogin.Start("guess"u8);
        LoginChallenge before;
        await using (var client = await _server.ConnectAsync())
        {
            before = await client.StartLoginAsync("nobody", login);
        }

        await _server.StopAsync();
        await _server.StartAgainAsync();

        await using var again = await _server.ConnectAsync();
        Assert.Equal(before.Ke2[..32], (await again.StartLoginAsync("nobody", login)).Ke2[..32]);
    }

    [Fact]
    public async Task What_was_revoked_or_spent_stays_so()
    {
        var token = await AuthServerApp.CreateEnrolmentTokenAsync(_server.App);
        var (_, ticket, client) = await _server.SignUpAsync("alice");
        await using (client)
        {
            await TestMessageServer.EnrolAsync(client, token);
            await client.RequestAsync<Done>(new LogoutRequest(Everywhere: false));
        }

        await _server.StopAsync();
        await _server.StartAgainAsync();

        await using var again = await _server.ConnectAsync();
        Assert.Equal(
            Protocol.ProtocolError.TicketRefused,
            await again.RefusalAsync(ticket.Request(again, Protocol.MessageCode.PresentTicket)));
        Assert.Equal(Protocol.ProtocolError.EnrolmentRefused, await again.RefusalAsync(TestMessageServer.Request(again, token)));
    }

    [Fact]
    public async Task Without_its_key_ring_it_does_not_start_and_with_it_does_again()
    {
        var fingerprint = AuthServerApp.RealmFingerprint(_server.App);
        await _server.StopAsync();
        var keys = _server.Folder.File("data/keys");
        var backup = _server.Folder.File("backup");
        Directory.Move(keys, backup);

        var e = await Assert.ThrowsAsync<StartupException>(_server.StartAgainAsync);

        Assert.Equal(e.Message, ServerProgram.Explain(e));
        Assert.Contains("realm keys cannot be opened", e.Message, StringComparison.Ordinal);
        Assert.Contains("backup", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);

        // Nothing was made anew in the meantime.
        Directory.Delete(keys, recursive: true);
        Directory.Move(backup, keys);
        await _server.StartAgainAsync();
        Assert.Equal(fingerprint, AuthServerApp.RealmFingerprint(_server.App));
    }

    [Fact]
    public async Task Another_folder_is_another_realm()
    {
        await using var other = await TestServer.StartAsync();

        Assert.NotEqual(AuthServerApp.RealmFingerprint(_server.App), AuthServerApp.RealmFingerprint(other.App));
    }
}
