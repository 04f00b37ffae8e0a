using System.Text;
using KerberosMessaging.Client;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.Stack;

/// <summary>
/// Two people exchange messages through two real servers, one of the messages while its recipient is offline; then every
/// file of the servers is searched for what they wrote.
/// </summary>
internal static class Demo
{
    private const string ToBob = "Bob, the vault opens at nine. Burn this.";
    private const string ToAlice = "Understood, Alice. Nine it is.";

    public static async Task<int> RunAsync(TextWriter output, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("kmsg-demo-").FullName;
        try
        {
            return await RunAsync(folder, output, cancellationToken);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<int> RunAsync(string folder, TextWriter output, CancellationToken cancellationToken)
    {
        var servers = Path.Combine(folder, "servers");
        await using var stack = await RunningStack.StartAsync(
            new StackOptions
            {
                Data = servers,
                AuthPort = 0,
                AuthAdminPort = 0,
                MessagePort = 0,
                MessageAdminPort = 0,
                LogLevel = "Warning",
            },
            output: null,
            cancellationToken);
        var realm = new RealmPin { Host = "127.0.0.1", Port = stack.AuthPort, Fingerprint = stack.Fingerprint };
        output.WriteLine($"realm        127.0.0.1:{realm.Port}, fingerprint {realm.Fingerprint}");

        var alice = await JoinAsync(realm, folder, "alice", cancellationToken);
        var bob = await JoinAsync(realm, folder, "bob", cancellationToken);
        using var bobsKey = bob.CopyStoreKey();
        await bob.DisposeAsync();
        output.WriteLine("registered   alice and bob; bob is offline");

        await alice.SendTextAsync("bob", ToBob, cancellationToken);
        output.WriteLine($"alice wrote  {ToBob}");
        output.WriteLine($"server holds {HexOfStoredEnvelope(servers)}");

        bob = MessagingClient.Open(realm, bobsKey, Options(folder, "bob"));
        var atBob = await ReadOneAsync(bob, cancellationToken);
        output.WriteLine($"bob read     {atBob}");

        await bob.SendTextAsync("alice", ToAlice, cancellationToken);
        output.WriteLine($"bob wrote    {ToAlice}");
        var atAlice = await ReadOneAsync(alice, cancellationToken);
        output.WriteLine($"alice read   {atAlice}");

        var fromAlice = await alice.GetContactAsync("bob", cancellationToken);
        var fromBob = await bob.GetContactAsync("alice", cancellationToken);
        output.WriteLine($"safety       {fromAlice.SafetyNumber} on alice's side");
        output.WriteLine($"number       {fromBob.SafetyNumber} on bob's side");

        await alice.DisposeAsync();
        await bob.DisposeAsync();
        var leaks = FilesContaining(servers, ToBob).Concat(FilesContaining(servers, ToAlice)).ToList();

        // The same search must find what servers do know, or its finding nothing would mean nothing.
        var searchWorks = FilesContaining(servers, "alice").Count > 0;
        output.WriteLine(leaks.Count == 0
            ? $"searched     {ServerFiles(servers).Count()} server files: no plaintext"
            : $"LEAKED       plaintext in {string.Join(", ", leaks)}");
        return leaks.Count == 0 && searchWorks && atBob == ToBob && atAlice == ToAlice && fromAlice.SafetyNumber == fromBob.SafetyNumber
            ? Done(output)
            : 1;
    }

    private static int Done(TextWriter output)
    {
        output.WriteLine("demo         ok");
        return 0;
    }

    private static async Task<MessagingClient> JoinAsync(RealmPin realm, string folder, string name, CancellationToken cancellationToken)
    {
        using var password = Password.FromCharacters($"demo password of {name}");
        await MessagingClient.RegisterAsync(realm, name, password, Options(folder, name), cancellationToken: cancellationToken);
        return await MessagingClient.LoginAsync(realm, name, password, Options(folder, name), cancellationToken: cancellationToken);
    }

    private static MessagingOptions Options(string folder, string name) =>
        new() { StorePath = Path.Combine(folder, "clients", $"{name}.db"), DeviceName = $"{name}'s laptop" };

    private static async Task<string?> ReadOneAsync(MessagingClient client, CancellationToken cancellationToken)
    {
        string? text = null;
        await foreach (var message in client.ReceiveAsync(follow: false, cancellationToken))
        {
            text = message.Content?.Text;
        }

        return text;
    }

    private static string HexOfStoredEnvelope(string servers)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(servers, "message", "message.db")};Mode=ReadOnly");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT Body FROM Envelopes LIMIT 1";
        var body = command.ExecuteScalar() as byte[] ?? throw new InvalidOperationException("The message server stored nothing.");
        return $"{body.Length} bytes, ending in {Convert.ToHexStringLower(body.AsSpan(^Math.Min(body.Length, 48)..))}";
    }

    private static List<string> FilesContaining(string folder, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return [.. ServerFiles(folder).Where(file => ReadShared(file).AsSpan().IndexOf(bytes) >= 0)];
    }

    // All but lock files, which are empty and cannot be opened while their server runs.
    private static IEnumerable<string> ServerFiles(string folder) => Directory
        .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        .Where(static file => Path.GetExtension(file) != ".lock");

    // The servers still run and hold their files open.
    private static byte[] ReadShared(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
