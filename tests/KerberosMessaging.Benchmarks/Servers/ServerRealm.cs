using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using KerberosMessaging.Protocol;
using KerberosMessaging.Transport;

namespace KerberosMessaging.Benchmarks.Servers;

/// <summary>A realm to put under load: an auth server and a message server, enrolled with a token, in a temporary folder.</summary>
internal sealed class ServerRealm : IAsyncDisposable
{
    /// <summary>
    /// What both servers are told beyond their defaults. Options that lift rate limits belong here: all load comes from one
    /// address, as no real load does. An option that a server does not know stops its start.
    /// </summary>
    private static readonly string[] LoadOptions =
    [
        "--Limits:ConnectionsPerSecond=1000000",
        "--Limits:ConnectionsBurst=1000000",
        "--Limits:ConnectionsPerSecondPerAddress=1000000",
        "--Limits:ConnectionsBurstPerAddress=1000000",
        "--Limits:RequestsPerSecondPerClient=1000000",
        "--Limits:RequestsBurstPerClient=1000000",
        "--Limits:RequestsPerSecondPerAddress=1000000",
        "--Limits:RequestsBurstPerAddress=1000000",
        "--Limits:Connections=1000000",
        "--Limits:ConnectionsPerAddress=1000000",
        "--Limits:Handshakes=1000000",
        "--Limits:NotSignedIn=1000000",
        "--Limits:AddressSharePercent=100",
    ];

    /// <summary>What the message server is told beside that: its store is filled, and few mailboxes stand for many.</summary>
    private static readonly string[] MailboxOptions =
    [
        "--Mailbox:MaxMessages=1000000",
        "--Mailbox:MaxBytes=1099511627776",
    ];

    private static readonly TimeSpan ReadyTime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ReadyPause = TimeSpan.FromMilliseconds(50);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("kmsg-benchmark-");
    private byte[] _fingerprint = [];

    private ServerRealm()
    {
    }

    public ServerProcess Auth { get; private set; } = null!;

    public ServerProcess Message { get; private set; } = null!;

    /// <summary>The message server's id.</summary>
    public ServerId MessageServer { get; private set; }

    /// <summary>Starts both servers and waits until both are ready.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="hasLargeMailboxes">Whether a mailbox takes more than a server's defaults let it.</param>
    public static async Task<ServerRealm> StartAsync(CancellationToken cancellationToken, bool hasLargeMailboxes = true)
    {
        var realm = new ServerRealm();
        try
        {
            await realm.StartServersAsync(hasLargeMailboxes, cancellationToken);
            return realm;
        }
        catch
        {
            await realm.DisposeAsync();
            throw;
        }
    }

    /// <summary>Opens a channel to the auth server, which must prove the realm's key.</summary>
    public Task<RequestConnection> ConnectToAuthAsync(CancellationToken cancellationToken) => RequestConnection.ConnectAsync(
        "127.0.0.1",
        Auth.Port,
        key => SHA256.HashData(key).AsSpan().SequenceEqual(_fingerprint),
        new ChannelOptions(),
        onPush: null,
        cancellationToken);

    /// <summary>Opens a channel to the message server. That its key is the listed one is not checked again at each connection.</summary>
    public Task<RequestConnection> ConnectToMessageAsync(
        CancellationToken cancellationToken, Func<MessageCode, ReadOnlyMemory<byte>, ValueTask>? onPush = null) =>
        RequestConnection.ConnectAsync(
            "127.0.0.1",
            Message.Port,
            static _ => true,
            new ChannelOptions { PayloadLimit = ProtocolLimits.PayloadAfterAuthentication },
            onPush,
            cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (Message is not null)
        {
            await Message.DisposeAsync();
        }

        if (Auth is not null)
        {
            await Auth.DisposeAsync();
        }

        _folder.Delete(recursive: true);
    }

    private async Task StartServersAsync(bool hasLargeMailboxes, CancellationToken cancellationToken)
    {
        Auth = await ServerProcess.StartAsync(
            "KerberosMessaging.AuthServer", Path.Combine(_folder.FullName, "auth"), LoadOptions, cancellationToken);
        await WaitUntilReadyAsync(Auth, cancellationToken);
        var fingerprint = Auth.LastWord("realm fingerprint");
        _fingerprint = Convert.FromHexString(fingerprint);

        using var admin = new HttpClient { BaseAddress = Auth.Admin };
        admin.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Auth.LastWord("admin token"));
        using var created = await admin.PostAsync(new Uri("admin/v1/enrolment-tokens", UriKind.Relative), null, cancellationToken);
        created.EnsureSuccessStatusCode();
        var token = (await created.Content.ReadFromJsonAsync<JsonElement>(cancellationToken)).GetProperty("token").GetString();

        Message = await ServerProcess.StartAsync(
            "KerberosMessaging.MessageServer",
            Path.Combine(_folder.FullName, "message"),
            [$"--Realm:Port={Auth.Port}", $"--Realm:Fingerprint={fingerprint}", $"--Realm:EnrolmentToken={token}", .. LoadOptions, .. hasLargeMailboxes ? MailboxOptions : []],
            cancellationToken);
        await WaitUntilReadyAsync(Message, cancellationToken);
        var servers = await admin.GetFromJsonAsync<JsonElement>(new Uri("admin/v1/servers", UriKind.Relative), cancellationToken);
        MessageServer = new ServerId(servers.GetProperty("items")[0].GetProperty("id").GetGuid());
    }

    private static async Task WaitUntilReadyAsync(ServerProcess server, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { BaseAddress = server.Admin };
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(ReadyTime);
        while (true)
        {
            using var response = await http.GetAsync(new Uri("health/ready", UriKind.Relative), deadline.Token);
            if (response.IsSuccessStatusCode)
            {
                return;
            }

            await Task.Delay(ReadyPause, deadline.Token);
        }
    }
}
