using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Protocol.Messages;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.AuthServer.Tests.Admin;

/// <summary>Things that the audit log has to tell of, and the database as somebody sees it who gets at the file.</summary>
internal static class AuditWorkload
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Logins, failures, changes by clients and by admins.</summary>
    public static async Task RunAsync(TestServer server)
    {
        using var admin = server.Admin();
        var messages = await server.EnrolAsync();
        var (account, ticket, client) = await server.SignUpAsync("alice");
        await using (client)
        {
            server.Time.Advance(TimeSpan.FromSeconds(1));
            await using (var guesser = await server.ConnectAsync())
            {
                await guesser.FailToLogInAsync("alice");
                await guesser.FailToLogInAsync("nobody");
            }

            await client.LoginAsync(account, new TestDevice());
            server.Time.Advance(TimeSpan.FromSeconds(1));
            await client.ChangePasswordAsync(account, new TestAccount("alice"));
            await client.RequestAsync<Done>(new RenameDeviceRequest(account.Device.Id, "alice's laptop"));
            await client.RequestAsync<Done>(new LogoutRequest(Everywhere: true));
        }

        server.Time.Advance(TimeSpan.FromSeconds(1));
        var alice = ticket.Part.Client.Value;
        await admin.MakeAsync("/invites", new { name = "carol" });
        await admin.MakeAsync($"/clients/{alice}/reset-token");
        await admin.ChangeAsync($"/clients/{alice}/disable");
        await admin.ChangeAsync($"/clients/{alice}/enable");
        await admin.ChangeAsync($"/servers/{messages.Registered.Server.Value}/rotate-key");
        await admin.CallAsync(HttpMethod.Post, "/keys/ticket/rotate", System.Net.HttpStatusCode.OK);
        await admin.CallAsync(HttpMethod.Delete, "/lockouts?all=true", System.Net.HttpStatusCode.OK);
    }

    /// <summary>Changes the database behind the server's back.</summary>
    public static async Task TamperAsync(this TestServer server, string sql, params (string Name, object Value)[] values)
    {
        await using var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = server.Folder.File("data/auth.db"), Pooling = false }.ConnectionString);
        await connection.OpenAsync(Cancel);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in values)
        {
            command.Parameters.AddWithValue(name, value);
        }

        await command.ExecuteNonQueryAsync(Cancel);
    }
}
