using KerberosMessaging.Client;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEndTests.Support;

/// <summary>A registered client on one device, with what it takes to open its store again.</summary>
internal sealed class Person : IAsyncDisposable
{
    private readonly RealmPin _realm;
    private readonly MessagingOptions _options;
    private readonly SecretBytes _storeKey;

    private Person(RealmPin realm, string name, MessagingOptions options, MessagingClient client)
    {
        (_realm, Name, _options, Client) = (realm, name, options, client);
        _storeKey = client.CopyStoreKey();
    }

    public string Name { get; }

    public MessagingClient Client { get; private set; }

    public string StorePath => _options.StorePath;

    /// <summary>Registers and logs in.</summary>
    public static async Task<Person> JoinAsync(
        Realm realm, string name, CancellationToken cancellationToken, Func<MessagingOptions, MessagingOptions>? change = null)
    {
        await RegisterAsync(realm, name, cancellationToken);
        return await LoginAsync(realm, name, "laptop", cancellationToken, change);
    }

    public static async Task RegisterAsync(Realm realm, string name, CancellationToken cancellationToken)
    {
        using var password = PasswordOf(name);
        await MessagingClient.RegisterAsync(
            realm.Pin, name, password, Options(realm.Folder, name, "laptop"), cancellationToken: cancellationToken);
    }

    /// <summary>Logs in on a device, which is new unless it was logged in before.</summary>
    public static async Task<Person> LoginAsync(
        Realm realm,
        string name,
        string device,
        CancellationToken cancellationToken,
        Func<MessagingOptions, MessagingOptions>? change = null)
    {
        var options = Options(realm.Folder, name, device);
        options = change?.Invoke(options) ?? options;
        using var password = PasswordOf(name);
        var client = await MessagingClient.LoginAsync(
            realm.Pin, name, password, options, cancellationToken: cancellationToken);
        return new Person(realm.Pin, name, options, client);
    }

    /// <summary>Logs a new device of a person in, and has the person's first device link it.</summary>
    public static async Task<Person> LinkAsync(Realm realm, Person first, string device, CancellationToken cancellationToken)
    {
        var person = await LoginAsync(realm, first.Name, device, cancellationToken);
        await person.LinkToAsync(first, cancellationToken);
        return person;
    }

    /// <summary>Has another device of this person link this one.</summary>
    public async Task LinkToAsync(Person first, CancellationToken cancellationToken)
    {
        Assert.False(Client.IsLinked);
        Assert.Equal(Client.Device, await first.Client.ApproveDeviceAsync(Client.StartLinking(), cancellationToken));
        Assert.Empty(await ReadAllAsync(cancellationToken));
        Assert.True(Client.IsLinked);
    }

    public static SecretBytes PasswordOf(string name) => Password.FromCharacters($"correct horse battery {name}");

    public static MessagingOptions Options(TempFolder folder, string name, string device) => new()
    {
        StorePath = folder.File($"clients/{name}-{device}.db"),
        DeviceName = device,
        OperationTimeout = TimeSpan.FromSeconds(20),
        FirstReconnectDelay = TimeSpan.FromMilliseconds(20),
        LongestReconnectDelay = TimeSpan.FromMilliseconds(200),
    };

    /// <summary>Another client on the same device and store, as a second program of the same person would be.</summary>
    public MessagingClient OpenAnother(Func<MessagingOptions, MessagingOptions>? change = null) =>
        MessagingClient.Open(_realm, _storeKey, change?.Invoke(_options) ?? _options);

    public SecretBytes CopyStoreKey() => _storeKey.Clone();

    /// <summary>Ends the client as the end of its program would, and opens the store anew.</summary>
    public async Task ReopenAsync()
    {
        await Client.DisposeAsync();
        Client = OpenAnother();
    }

    /// <summary>Reads all that waits.</summary>
    public async Task<List<string>> ReadAllAsync(CancellationToken cancellationToken)
    {
        var texts = new List<string>();
        await foreach (var message in Client.ReceiveAsync(follow: false, cancellationToken))
        {
            texts.Add(TextOf(message));
        }

        return texts;
    }

    public static string TextOf(ReceivedMessage message)
    {
        Assert.Equal(MessageProblem.None, message.Problem);
        Assert.NotNull(message.Content?.Text);
        return message.Content.Text;
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        _storeKey.Dispose();
    }
}
