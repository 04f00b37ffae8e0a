using KerberosMessaging.Benchmarks.Servers;
using KerberosMessaging.Transport;

namespace KerberosMessaging.Benchmarks.Relay;

/// <summary>Senders, each with its own recipient, all connected.</summary>
internal sealed class RelayPairs : IAsyncDisposable
{
    private const int RecipientsOfWaiting = 50;

    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ServerRealm _realm;
    private readonly RelayRun _run;
    private readonly List<BenchmarkAccount> _accounts = [];
    private readonly List<RequestConnection> _connections = [];
    private readonly List<Sender> _senders = [];
    private readonly List<Recipient> _recipients = [];

    private RelayPairs(ServerRealm realm, RelayRun run)
    {
        _realm = realm;
        _run = run;
    }

    public IReadOnlyList<Sender> Senders => _senders;

    public IReadOnlyList<Recipient> Recipients => _recipients;

    /// <summary>How many different messages arrived.</summary>
    public long Delivered => _recipients.Sum(static recipient => recipient.Tally.Distinct);

    /// <summary>How many messages the server accepted.</summary>
    public long Accepted => _senders.Sum(static sender => sender.Accepted);

    /// <summary>How many messages were sent and have not arrived.</summary>
    public long Missing => _senders.Sum(static sender => sender.Sent) - Delivered;

    /// <summary>Registers and connects.</summary>
    public static async Task<RelayPairs> StartAsync(ServerRealm realm, int count, RelayRun run, CancellationToken cancellationToken)
    {
        var pairs = new RelayPairs(realm, run);
        try
        {
            for (var i = 0; i < count; i++)
            {
                var recipient = new Recipient(await pairs.RegisterAsync($"recipient{i}", cancellationToken), i, run);
                pairs._recipients.Add(recipient);
                var sender = await pairs.RegisterAsync($"sender{i}", cancellationToken);
                pairs._connections.Add(await ConnectAsync(realm, sender, cancellationToken));
                pairs._senders.Add(
                    new Sender(pairs._connections[i], recipient.Account.Client, recipient.Account.Device, i, run));
            }

            await pairs.ConnectRecipientsAsync(cancellationToken);
            return pairs;
        }
        catch
        {
            await pairs.DisposeAsync();
            throw;
        }
    }

    /// <summary>Connects the recipients, with tickets that are fetched before the first of them connects.</summary>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <param name="onStart">Called when all tickets are there.</param>
    public async Task ConnectRecipientsAsync(CancellationToken cancellationToken, Action? onStart = null)
    {
        var tickets = new List<HeldTicket>();
        foreach (var recipient in _recipients)
        {
            tickets.Add(await recipient.Account.LoginForServiceAsync(cancellationToken));
        }

        onStart?.Invoke();
        foreach (var (recipient, ticket) in _recipients.Zip(tickets))
        {
            await recipient.ConnectAsync(_realm, ticket, cancellationToken);
            recipient.Receive();
            ticket.Dispose();
        }
    }

    /// <summary>Disconnects the recipients.</summary>
    public async Task DisconnectRecipientsAsync()
    {
        foreach (var recipient in _recipients)
        {
            await recipient.DisposeAsync();
        }
    }

    /// <summary>So many messages are due at each sender as soon as they can be sent; 0 for no more.</summary>
    public void SendAtOnce(long messages) => _senders.ForEach(sender => sender.SendAtOnce(messages));

    /// <summary>Has all senders send as fast as the server takes it, and waits until all of it has arrived.</summary>
    public async Task WarmUpAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        await Console.Error.WriteLineAsync("warming up …");
        SendAtOnce(long.MaxValue);
        await _run.DelayAsync(time, cancellationToken);
        SendAtOnce(0);
        await SettleAsync(cancellationToken);
    }

    /// <summary>Stores messages for others, who are away.</summary>
    public async Task StoreForOthersAsync(int messages, CancellationToken cancellationToken)
    {
        if (messages == 0)
        {
            return;
        }

        await Console.Error.WriteLineAsync($"storing {messages} messages for others …");
        var senders = new List<Sender>();
        for (var i = 0; i < RecipientsOfWaiting; i++)
        {
            var account = await RegisterAsync($"absent{i}", cancellationToken);

            // Its mailbox is made.
            await using var connection = await ConnectAsync(_realm, account, cancellationToken);
            senders.Add(new Sender(_connections[i % _connections.Count], account.Client, account.Device, i, _run));
        }

        Share(messages, senders);
        await WaitAsync(
            () => senders.Sum(static sender => sender.Accepted),
            () => senders.Sum(static sender => sender.Accepted) == messages,
            cancellationToken);
    }

    /// <summary>Has the senders send so many messages in all, and waits until the server has accepted them.</summary>
    public Task StoreAsync(int messages, CancellationToken cancellationToken)
    {
        var target = Accepted + messages;
        Share(messages, _senders);
        return WaitAsync(() => Accepted, () => Accepted == target, cancellationToken);
    }

    /// <summary>Waits until all that was sent has arrived and is acknowledged, or nothing more arrives.</summary>
    public Task SettleAsync(CancellationToken cancellationToken) => WaitAsync(
        () => Delivered,
        () => Accepted == _senders.Sum(static sender => sender.Sent)
            && Missing == 0
            && _recipients.TrueForAll(static recipient => recipient.IsQuiet),
        cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await DisconnectRecipientsAsync();
        foreach (var connection in _connections)
        {
            await connection.DisposeAsync();
        }

        _accounts.ForEach(static account => account.Dispose());
    }

    private static void Share(int messages, List<Sender> senders)
    {
        for (var i = 0; i < senders.Count; i++)
        {
            senders[i].SendAtOnce((messages / senders.Count) + (i < messages % senders.Count ? 1 : 0));
        }
    }

    private static async Task<RequestConnection> ConnectAsync(
        ServerRealm realm, BenchmarkAccount account, CancellationToken cancellationToken)
    {
        using var ticket = await account.LoginForServiceAsync(cancellationToken);
        var connection = await realm.ConnectToMessageAsync(cancellationToken);
        await ticket.PresentAsync(connection, cancellationToken);
        return connection;
    }

    private async Task<BenchmarkAccount> RegisterAsync(string name, CancellationToken cancellationToken)
    {
        var account = await BenchmarkAccount.RegisterAsync(_realm, name, cancellationToken);
        _accounts.Add(account);
        return account;
    }

    private async Task WaitAsync(Func<long> progress, Func<bool> isDone, CancellationToken cancellationToken)
    {
        var (last, idle) = (-1L, TimeSpan.Zero);
        while (!isDone() && idle < Patience)
        {
            await _run.DelayAsync(Glance, cancellationToken);
            var now = progress();
            (last, idle) = (now, now == last ? idle + Glance : TimeSpan.Zero);
        }
    }
}
