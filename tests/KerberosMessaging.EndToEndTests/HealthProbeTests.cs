using KerberosMessaging.EndToEndTests.Support;
using KerberosMessaging.Hosting.Admin;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace KerberosMessaging.EndToEndTests;

/// <summary>Looking at a server's health changes nothing that a later start goes by.</summary>
public sealed class HealthProbeTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_database_whose_health_was_looked_at_is_not_taken_for_a_restored_one()
    {
        await using var realm = await Realm.StartAsync(Cancel);
        await LookAsync(realm.AuthServices);
        await LookAsync(realm.MessageServices);

        // What marks a restored database: from it sessions and one-time prekeys are dropped at the next start.
        Assert.Equal(0, UserVersion(realm.Folder.File("auth/auth.db")));
        Assert.Equal(0, UserVersion(realm.Folder.File("message/message.db")));

        await using var alice = await Person.JoinAsync(realm, "alice", Cancel);
        await using var bob = await Person.JoinAsync(realm, "bob", Cancel);
        await LookAsync(realm.AuthServices);
        await realm.StopAuthAsync(Cancel);
        await realm.StartAuthAsync(Cancel);
        await alice.Client.SendTextAsync("bob", "still signed in", Cancel);
    }

    private static async Task LookAsync(IServiceProvider services)
    {
        using var http = new HttpClient { BaseAddress = services.GetRequiredService<AdminListener>().Address };
        using var response = await http.GetAsync(new Uri("health", UriKind.Relative), Cancel);
        response.EnsureSuccessStatusCode();
    }

    private static long UserVersion(string path)
    {
        using var connection = new SqliteConnection($"Data Source={path};Mode=ReadOnly");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA user_version";
        return (long)command.ExecuteScalar()!;
    }
}
