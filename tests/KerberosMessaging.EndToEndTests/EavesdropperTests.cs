using System.Net;
using System.Net.Sockets;
using System.Text;
using KerberosMessaging.Client;
using KerberosMessaging.EndToEndTests.Support;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace KerberosMessaging.EndToEndTests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>What someone on the wire, or with the servers' disks and logs, can see and do.</summary>
public sealed class EavesdropperTests
{
    private const int FrameHeader = 27;
    private const int ClientHello = FrameHeader + 32 + 1216;
    private const int ServerHello = FrameHeader + 32 + 1120 + 16 + 16 + 8 + 32 + 64;

    // IV, one block, tag.
    private const int SmallestRecord = FrameHeader + 16 + 16 + 32;

    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 30_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = Patience)]
    public async Task A_recorded_ticket_exchange_opens_nothing_when_it_is_replayed()
    {
        await using var proxy = new RecordingProxy();
        await using var realm = await Realm.StartAsync(
            Cancel, new RealmSetup { Message = [$"--Realm:AdvertisedPort={proxy.Port}"] });
        proxy.Target = realm.MessagePort;
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel);
        await using var bob = await Person.JoinAsync(realm, "bob", Cancel);
        await alice.Client.SendTextAsync(bob.Name, "once", Cancel);
        var recorded = proxy.Connections[0].FromClient;
        Assert.True(recorded.Length > ClientHello + 1000, "The record holds a hello, a ticket and a message.");

        var answer = await ReplayAsync(realm.MessagePort, recorded);

        // A fresh hello, to which nothing of the record fits, and one generic error: no ticket was accepted.
        Assert.Equal(ServerHello + SmallestRecord, answer.Length);
        Assert.Equal(["once"], await bob.ReadAllAsync(Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task A_server_with_another_key_than_the_pinned_one_learns_no_name()
    {
        await using var proxy = new RecordingProxy();
        await using var realm = await Realm.StartAsync(Cancel);
        proxy.Target = realm.Pin.Port;
        var wrong = new RealmPin { Host = "127.0.0.1", Port = proxy.Port, Fingerprint = new string('0', 64) };
        using var password = Person.PasswordOf("alice");
        var options = Person.Options(realm.Folder, "alice", "laptop");

        var registering = await Assert.ThrowsAsync<MessagingException>(
            () => MessagingClient.RegisterAsync(wrong, "alice", password, options, cancellationToken: Cancel));
        var loggingIn = await Assert.ThrowsAsync<MessagingException>(
            () => MessagingClient.LoginAsync(wrong, "alice", password, options, cancellationToken: Cancel));

        Assert.Equal(MessagingFailure.UntrustedServer, registering.Failure);
        Assert.Equal(MessagingFailure.UntrustedServer, loggingIn.Failure);
        Assert.Equal(2, proxy.Connections.Count);
        foreach (var connection in proxy.Connections)
        {
            await connection.Ended.WaitAsync(Cancel);
            Assert.Equal(ClientHello, connection.FromClient.Length);
        }

        Assert.False(File.Exists(options.StorePath));
    }

    [Fact(Timeout = Patience)]
    public async Task A_message_server_with_another_key_than_the_listed_one_gets_no_ticket()
    {
        await using var proxy = new RecordingProxy();
        await using var realm = await Realm.StartAsync(
            Cancel, new RealmSetup { Message = [$"--Realm:AdvertisedPort={proxy.Port}"] });

        // The auth server speaks the same channel, but with the realm's key.
        proxy.Target = realm.Pin.Port;
        var e = await Assert.ThrowsAsync<MessagingException>(() => Person.JoinAsync(realm, "alice", Cancel));

        Assert.Equal(MessagingFailure.UntrustedServer, e.Failure);
        await proxy.Connections[0].Ended.WaitAsync(Cancel);
        Assert.Equal(ClientHello, proxy.Connections[0].FromClient.Length);
    }

    [Fact(Timeout = Patience)]
    public async Task Neither_wire_nor_logs_nor_the_servers_disks_show_a_password_or_what_was_written()
    {
        const string Secret = "the vault opens at nine";
        using var log = new LogLines();
        await using var authProxy = new RecordingProxy();
        await using var messageProxy = new RecordingProxy();
        await using var realm = await Realm.StartAsync(Cancel, new RealmSetup
        {
            Message = [$"--Realm:AdvertisedPort={messageProxy.Port}"],
            Configure = builder => builder.Logging.AddProvider(log).AddFilter<LogLines>(null, LogLevel.Trace),
        });
        authProxy.Target = realm.Pin.Port;
        messageProxy.Target = realm.MessagePort;
        realm.Pin = realm.Pin with { Port = authProxy.Port };

        // The clients log everything to the same place.
        using var loggers = LoggerFactory.Create(builder => builder.AddProvider(log).SetMinimumLevel(LogLevel.Trace));
        await using var alice = await Person.JoinAsync(realm, "alice-lidell", Cancel, Logged);
        await using var bob = await Person.JoinAsync(realm, "bob", Cancel, Logged);
        await using var phone = await Person.LoginAsync(realm, bob.Name, "phone", Cancel, Logged);
        var code = phone.Client.StartLinking();
        await bob.Client.ApproveDeviceAsync(code, Cancel);
        Assert.Empty(await phone.ReadAllAsync(Cancel));
        Assert.True(phone.Client.IsLinked);
        using var wrongPassword = Person.PasswordOf("mallory");
        await Assert.ThrowsAsync<MessagingException>(() => MessagingClient.LoginAsync(
            realm.Pin, bob.Name, wrongPassword, Person.Options(realm.Folder, "mallory", "laptop"), cancellationToken: Cancel));
        await alice.Client.SendTextAsync(bob.Name, Secret, Cancel);
        Assert.Equal([Secret], await bob.ReadAllAsync(Cancel));
        Assert.Equal([Secret], await phone.ReadAllAsync(Cancel));

        // A device that lost its sessions asks for what it cannot read, and gets it: nor does that say anything.
        await LoseSessionsAsync(bob);
        await alice.Client.SendTextAsync(bob.Name, Secret + " again", Cancel);
        await using (var atAlice = Inbox.Open(alice.Client))
        await using (var atBob = Inbox.Open(bob.Client))
        {
            Assert.Equal(MessageProblem.Unreadable, (await atBob.NextAsync(Cancel)).Problem);
            Assert.Equal(Secret + " again", await atBob.NextTextAsync(Cancel));
        }

        var wire = authProxy.Connections.Concat(messageProxy.Connections)
            .SelectMany(static connection => new[] { connection.FromClient, connection.FromServer })
            .ToList();
        Assert.True(wire.Sum(static bytes => bytes.Length) > 20_000);
        using var storeKey = alice.CopyStoreKey();
        var secrets = new[]
        {
            "correct horse battery alice-lidell", "correct horse battery bob", "correct horse battery mallory", Secret, code,
            code.Replace("-", "", StringComparison.Ordinal), Convert.ToHexString(storeKey.Span), Convert.ToHexStringLower(storeKey.Span),
            Convert.ToBase64String(storeKey.Span),
        };
        foreach (var secret in secrets)
        {
            var bytes = Encoding.UTF8.GetBytes(secret);
            Assert.All(wire, recorded => Assert.Equal(-1, recorded.AsSpan().IndexOf(bytes)));
            Assert.DoesNotContain(secret, log.Text, StringComparison.Ordinal);
            Assert.Empty(TempFolder.FilesWith(realm.Folder.Path, bytes));
        }

        // Names are on the servers' disks, where the search must find them, but not on the wire and not in the logs.
        var name = Encoding.UTF8.GetBytes(alice.Name);
        Assert.NotEmpty(TempFolder.FilesWith(realm.Folder.File("auth"), name));
        Assert.All(wire, recorded => Assert.Equal(-1, recorded.AsSpan().IndexOf(name)));

        MessagingOptions Logged(MessagingOptions options) => options with { LoggerFactory = loggers };
    }

    // As if its store had been put back to a time before them.
    private static async Task LoseSessionsAsync(Person person)
    {
        await person.Client.DisposeAsync();
        await using (var connection = new SqliteConnection($"Data Source={person.StorePath};Pooling=False"))
        {
            await connection.OpenAsync(Cancel);
            await using var command = connection.CreateCommand();
            command.CommandText = "UPDATE devices SET sessions = NULL";
            Assert.NotEqual(0, await command.ExecuteNonQueryAsync(Cancel));
        }

        await person.ReopenAsync();
    }

    private static async Task<byte[]> ReplayAsync(int port, byte[] recorded)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, Cancel);
        var stream = client.GetStream();
        var answer = new MemoryStream();
        var reading = stream.CopyToAsync(answer, Cancel);
        try
        {
            await stream.WriteAsync(recorded, Cancel);
            await reading;
        }
        catch (IOException)
        {
            // It was ended before all was said.
        }

        return answer.ToArray();
    }
}
