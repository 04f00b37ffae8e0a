using KerberosMessaging.MessageServer.Persistence.Sqlite;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.MessageServer.Tests.Faults;

/// <summary>A server process with a data folder that something is wrong with, and a few devices.</summary>
internal sealed class FaultyStore : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly TestRealm _realm = new();
    private readonly string[] _args;
    private ServerProcess? _server;

    private FaultyStore(string? subfolder, string[] args)
    {
        Folder = subfolder is null ? _folder.FullName : Directory.CreateDirectory(_folder.File(subfolder)).FullName;
        _args = ["--Limits:RequestsPerSecondPerClient=1000000", "--Limits:RequestsBurstPerClient=1000000", .. args];
    }

    public string Folder { get; }

    public string Database => Path.Combine(Folder, "message.db");

    public ServerProcess Server => _server!;

    public TestDevice Alice { get; } = TestDevice.Of("alice");

    public TestDevice Bob { get; } = TestDevice.Of("bob");

    public TestDevice Carol { get; } = TestDevice.Of("carol");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Starts a server, and makes mailboxes for bob and carol.</summary>
    /// <param name="prepare">Called with the data folder before anything is in it.</param>
    /// <param name="args">Options.</param>
    public static async Task<FaultyStore> StartAsync(Func<string, IDisposable>? prepare, params string[] args)
    {
        var store = new FaultyStore(prepare is null ? null : "data", args);
        try
        {
            store._prepared = prepare?.Invoke(store.Folder);
            await store._realm.EnrolAsync(store.Folder);
            await store.StartAgainAsync();
            foreach (var device in (TestDevice[])[store.Bob, store.Carol])
            {
                await (await store.SignInAsync(device)).DisposeAsync();
            }

            return store;
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    private IDisposable? _prepared;

    public async Task StartAgainAsync() => _server = await ServerProcess.StartAsync(Folder, Cancellation, _args);

    public Task<(int ExitCode, string[] Lines)> RefuseToStartAsync() => ServerProcess.RefuseToStartAsync(Folder, Cancellation, _args);

    public async Task KillAsync()
    {
        await Server.DisposeAsync();
        _server = null;
    }

    public async Task<TestClient> SignInAsync(TestDevice device)
    {
        var client = await TestClient.ConnectAsync(Server.Port, _realm.ServerKey.PublicKey, Cancellation);
        try
        {
            await _realm.Issue(device, DateTimeOffset.UtcNow).PresentAsync(client.Connection, Cancellation);
            return client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>Signs in on a connection that the test holds.</summary>
    public async Task<RequestConnection> SignInAsync(TestDevice device, SlowPipe pipe)
    {
        var channel = await SecureChannel.ConnectAsync(
            pipe, key => key.SequenceEqual(_realm.ServerKey.PublicKey.Span), new ChannelOptions { PayloadLimit = ProtocolLimits.PayloadAfterAuthentication }, Cancellation);
        var connection = new RequestConnection(channel, pipe);
        await _realm.Issue(device, DateTimeOffset.UtcNow).PresentAsync(connection, Cancellation);
        return connection;
    }

    /// <summary>Opens the server's database beside the server.</summary>
    public SqliteConnection Open() => new SqliteDatabase(Database).Open();

    /// <summary>Sends a message; null when it was accepted.</summary>
    public static async Task<RequestRefusedException?> TrySendAsync(TestClient client, SendMessageRequest message)
    {
        try
        {
            await client.Connection.RequestAsync<MessageAccepted>(message, Cancellation);
            return null;
        }
        catch (RequestRefusedException e)
        {
            return e;
        }
    }

    /// <summary>Sends a message again and again until it is accepted.</summary>
    public static async Task SendUntilAcceptedAsync(TestClient client, SendMessageRequest message)
    {
        while (await TrySendAsync(client, message) is { } refusal)
        {
            Assert.Equal(ProtocolError.Busy, refusal.Error);
            await Task.Delay(TimeSpan.FromMilliseconds(200), Cancellation);
        }
    }

    /// <summary>Sends messages until one is refused, which is the last of the result.</summary>
    /// <param name="client">Who sends.</param>
    /// <param name="recipient">To whom.</param>
    /// <param name="envelopeBytes">About how long they are.</param>
    /// <param name="pause">Time between two.</param>
    public static async Task<(List<SendMessageRequest> Messages, RequestRefusedException Refusal)> FillAsync(
        TestClient client, TestDevice recipient, int envelopeBytes, TimeSpan pause = default)
    {
        var messages = new List<SendMessageRequest>();
        while (true)
        {
            var message = TestClient.Message(recipient, TestEnvelope.Make(envelopeBytes / 16));
            messages.Add(message);
            if (await TrySendAsync(client, message) is { } refusal)
            {
                return (messages, refusal);
            }

            await Task.Delay(pause, Cancellation);
        }
    }

    /// <summary>A message to a device that is there and acknowledges at once, which needs no disk.</summary>
    public static async Task PassAsync(TestClient sender, TestClient recipient, TestDevice device)
    {
        var message = TestClient.Message(device);
        var sending = sender.Connection.RequestAsync<MessageAccepted>(message, Cancellation);
        Deliver delivery;
        do
        {
            delivery = await NextDeliveryAsync(recipient, sending);
        }
        while (delivery.Message != message.Message);
        await recipient.Connection.RequestAsync<Done>(
            new AcknowledgeRequest([new SequenceRange(delivery.Sequence, delivery.Sequence)], 1), Cancellation);
        await sending;
    }

    /// <summary>Takes what comes next, unless it cannot come: its sender was refused.</summary>
    public static async Task<Deliver> NextDeliveryAsync(TestClient recipient, Task sending)
    {
        var delivery = recipient.NextDeliveryAsync(Cancellation).AsTask();
        await await Task.WhenAny(sending, delivery);
        return await delivery;
    }

    /// <summary>Takes and acknowledges all that waits for a device, and holds it against what was accepted.</summary>
    public async Task AssertHasAllAsync(TestDevice device, IReadOnlyCollection<SendMessageRequest> accepted)
    {
        await using var client = await SignInAsync(device);
        await client.GrantAsync(100, Cancellation);
        var deliveries = new List<Deliver>();
        while (deliveries.Count < accepted.Count)
        {
            deliveries.Add(await client.NextDeliveryAsync(Cancellation));
            var number = deliveries[^1].Sequence;
            await client.Connection.RequestAsync<Done>(new AcknowledgeRequest([new SequenceRange(number, number)], 1), Cancellation);
        }

        Assert.Equal(accepted.Select(static message => message.Message), deliveries.Select(static delivery => delivery.Message));
        Assert.Equal(
            accepted.Select(static message => message.Envelopes[0].Envelope), deliveries.Select(static delivery => delivery.Envelope.ToArray()));
        await client.FenceAsync(Cancellation);
        Assert.Equal(0, client.Waiting);
    }

    public async ValueTask DisposeAsync()
    {
        await (_server?.DisposeAsync() ?? ValueTask.CompletedTask);
        SqliteConnection.ClearAllPools();
        _prepared?.Dispose();
        _realm.Dispose();
        _folder.Dispose();
    }
}
