using System.Security.Cryptography;
using KerberosMessaging.Client;
using KerberosMessaging.EndToEndTests.Support;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.EndToEndTests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>A server whose disk is lost goes on from its backup.</summary>
public sealed class RestoreTests
{
    private const string Auth = "KerberosMessaging.AuthServer";
    private const string Message = "KerberosMessaging.MessageServer";

    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 240_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = Patience)]
    public async Task What_was_in_the_backups_is_there_after_both_servers_have_lost_their_disks()
    {
        await using var realm = await Realm.StartProcessesAsync(Cancel);
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel);
        await using var bob = await Person.JoinAsync(realm, "bob", Cancel);
        await using var carol = await Person.JoinAsync(realm, "carol", Cancel);
        await alice.Client.SendTextAsync(bob.Name, "read before", Cancel);
        Assert.Equal(["read before"], await bob.ReadAllAsync(Cancel));
        await alice.Client.SendTextAsync(bob.Name, "waits", Cancel);
        var content = RandomNumberGenerator.GetBytes(300_000);
        using var blob = await alice.Client.UploadBlobAsync(new MemoryStream(content), cancellationToken: Cancel);

        await MakeUnderLoadAsync(realm, alice, carol);
        await carol.ReadAllAsync(Cancel);

        // From here on the backups know nothing: these are read, so nobody misses them.
        await alice.Client.SendTextAsync(bob.Name, "after the backup", Cancel);
        Assert.Equal(["waits", "after the backup"], await bob.ReadAllAsync(Cancel));
        var lastNumber = ReservedOf(realm, bob);
        await realm.KillMessageAsync();
        await realm.KillAuthAsync();
        await LoseAndRestoreAsync(realm, Auth, "auth");
        await LoseAndRestoreAsync(realm, Message, "message");
        await realm.StartAuthAsync(Cancel);
        await realm.StartMessageAsync(Cancel);

        // Every session has ended. A message server learns it in a moment from the auth server; before that a ticket may still open it.
        Assert.Equal(MessagingFailure.NotLoggedIn, await RefusalAsync(alice, bob.Name));
        await using var aliceAgain = await AgainAsync(realm, alice);
        await using var bobAgain = await AgainAsync(realm, bob);
        await using var carolAgain = await AgainAsync(realm, carol);

        // What waited comes once, although the restored server has it as not acknowledged.
        await aliceAgain.Client.SendTextAsync(bob.Name, "new", Cancel);
        Assert.Equal(["new"], await ReadTheRestAsync(bobAgain));
        await bobAgain.Client.SendTextAsync(alice.Name, "and back", Cancel);
        Assert.Equal(["and back"], await aliceAgain.ReadAllAsync(Cancel));
        Assert.Empty(await carolAgain.ReadAllAsync(Cancel));
        using var downloaded = new MemoryStream();
        await bobAgain.Client.DownloadBlobAsync(blob, downloaded, Cancel);
        Assert.Equal(content, downloaded.ToArray());
        Assert.True(ReservedOf(realm, bob) > lastNumber);

        Assert.Equal(1, Count(realm, "auth/auth.db", "SELECT COUNT(*) FROM AuditEvents WHERE Kind = 51"));

        // Somebody new finds fresh prekeys.
        await using var dave = await Person.JoinAsync(realm, "dave", Cancel);
        await dave.Client.SendTextAsync(bob.Name, "hello", Cancel);
        Assert.Equal(["hello"], await ReadTheRestAsync(bobAgain));
    }

    [Fact(Timeout = Patience)]
    public async Task Mail_that_waited_at_the_time_of_the_backup_is_delivered_by_the_restored_server()
    {
        await using var realm = await Realm.StartProcessesAsync(Cancel);
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel);
        await using var bob = await Person.JoinAsync(realm, "bob", Cancel);
        string[] texts = [.. Enumerable.Range(0, 20).Select(static i => $"message {i:00}")];
        foreach (var text in texts)
        {
            await alice.Client.SendTextAsync(bob.Name, text, Cancel);
        }

        await MakeAsync(realm, Message, "message");
        await realm.KillMessageAsync();
        await LoseAndRestoreAsync(realm, Message, "message");
        await realm.StartMessageAsync(Cancel);

        Assert.Equal(texts, await bob.ReadAllAsync(Cancel));
        Assert.Equal(0, Count(realm, "message/message.db", "PRAGMA user_version"));
        Assert.Equal(1, Count(realm, "message/message.db", "SELECT COUNT(*) FROM AuditEvents WHERE Kind = 51"));
    }

    // Some of those were taken before the server knew better, and the refused one waits in its sender's outbox.
    private static async Task<IEnumerable<string>> ReadTheRestAsync(Person person) =>
        (await person.ReadAllAsync(Cancel)).Where(static text => text != "without a session");

    private static async Task<MessagingFailure> RefusalAsync(Person sender, string recipient)
    {
        try
        {
            while (true)
            {
                await sender.Client.SendTextAsync(recipient, "without a session", Cancel);
            }
        }
        catch (MessagingException e)
        {
            return e.Failure;
        }
    }

    // Somebody sends all the time while both are made, beside the running servers.
    private static async Task MakeUnderLoadAsync(Realm realm, Person sender, Person recipient)
    {
        using var stop = new CancellationTokenSource();
        var sending = Task.Run(
            async () =>
            {
                for (var i = 0; !stop.IsCancellationRequested; i++)
                {
                    await sender.Client.SendTextAsync(recipient.Name, $"load {i}", Cancel);
                }
            },
            Cancel);
        await MakeAsync(realm, Auth, "auth");
        await MakeAsync(realm, Message, "message");
        await stop.CancelAsync();
        await sending;
    }

    private static async Task MakeAsync(Realm realm, string program, string folder)
    {
        var key = realm.Folder.File("backup.key");
        if (!File.Exists(key))
        {
            await File.WriteAllTextAsync(key, Convert.ToHexString(RandomNumberGenerator.GetBytes(32)), Cancel);
        }

        await RunAsync(realm, program, ["backup", "--to", realm.Folder.File($"{folder}.backup"), "--encrypt-with", key, $"--Data:Directory={realm.Folder.File(folder)}"]);
    }

    // All but the master key, which the operator keeps elsewhere.
    private static async Task LoseAndRestoreAsync(Realm realm, string program, string folder)
    {
        var data = realm.Folder.File(folder);
        var masterKey = await File.ReadAllBytesAsync(Path.Combine(data, "master.key"), Cancel);
        Directory.Delete(data, recursive: true);
        await RunAsync(
            realm, program, ["restore", "--from", realm.Folder.File($"{folder}.backup"), "--key", realm.Folder.File("backup.key"), $"--Data:Directory={data}"]);
        await File.WriteAllBytesAsync(Path.Combine(data, "master.key"), masterKey, Cancel);
    }

    private static async Task RunAsync(Realm realm, string program, string[] args)
    {
        await using var run = ServerProgramRun.Start(program, realm.Folder.Path, args);
        Assert.True(await run.WaitForExitAsync(Cancel) == 0, string.Join('\n', run.Errors.All));
    }

    private static async Task<Person> AgainAsync(Realm realm, Person person)
    {
        await person.Client.DisposeAsync();
        return await Person.LoginAsync(realm, person.Name, "laptop", Cancel);
    }

    private static long ReservedOf(Realm realm, Person person) => Count(
        realm, "message/message.db", $"SELECT ReservedThrough FROM Mailboxes WHERE ClientName = '{person.Name}'");

    private static long Count(Realm realm, string database, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={realm.Folder.File(database)};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }
}
