using System.Collections.Concurrent;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Transport;

namespace KerberosMessaging.MessageServer.Tests.Faults;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>SIGKILL at random moments, with senders and recipients of all manners at work.</summary>
public sealed class RepeatedKillTests
{
    private const int Patience = 900_000;
    private const int Worlds = 2;
    private const int KillsPerWorld = 25;

    private static readonly Manner[] Manners = [Manner.Prompt, Manner.Prompt, Manner.Late, Manner.Sparing, Manner.Absent];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = Patience)]
    public async Task Fifty_kills_under_load_lose_nothing_and_change_no_order()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");

        // Two servers side by side: one starts while the other is under load.
        var random = new Random(seed);
        await Task.WhenAll(Enumerable.Range(0, Worlds).Select(_ => new World(random.Next())).Select(static async world =>
        {
            await using (world)
            {
                await world.RunAsync();
            }
        }));
    }

    private sealed class World : IAsyncDisposable
    {
        private readonly Random _random;
        private readonly TempFolder _folder = new();
        private readonly TestRealm _realm = new();
        private readonly LoadRecipient[] _recipients;
        private readonly LoadSender[] _senders;
        private ServerProcess? _server;

        public World(int seed)
        {
            _random = new Random(seed);
            var sent = new ConcurrentDictionary<MessageId, LoadMessage>();
            _recipients = [.. Manners.Select((manner, i) => new LoadRecipient(TestDevice.Of($"recipient{i}"), manner, sent, _random.Next()))];
            _senders = [.. Enumerable.Range(0, 3).Select(i => new LoadSender(TestDevice.Of($"sender{i}"), _recipients, sent))];
        }

        public async Task RunAsync()
        {
            await _realm.EnrolAsync(_folder.FullName);
            await MakeMailboxesAsync();
            for (var i = 0; i < KillsPerWorld; i++)
            {
                await KillUnderLoadAsync();
            }

            await FinishAsync();
        }

        public async ValueTask DisposeAsync()
        {
            await (_server?.DisposeAsync() ?? ValueTask.CompletedTask);
            _realm.Dispose();
            _folder.Dispose();
        }

        private async Task MakeMailboxesAsync()
        {
            await StartAsync();
            foreach (var recipient in _recipients)
            {
                await (await SignInAsync(recipient.Device)).DisposeAsync();
            }

            await StopAsync();
        }

        private async Task KillUnderLoadAsync()
        {
            await StartAsync();
            var before = _senders.Sum(static sender => sender.Accepted);
            var receiving = _recipients
                .Where(recipient => recipient.Manner != Manner.Absent || _random.Next(4) == 0)
                .Select(recipient => recipient.ReceiveAsync(SignInAsync));
            var sending = _senders.Select(sender => sender.SendAsync(SignInAsync));
            Task[] all = [.. receiving, .. sending];

            // Mostly when messages flow; sometimes when the first ones are repeated, or nobody is signed in yet.
            if (_random.Next(5) > 0)
            {
                await Until.TrueAsync(
                    () => _senders.Sum(static sender => sender.Accepted) > before || Array.Exists(all, static task => task.IsFaulted), Cancellation);
            }

            await Task.Delay(_random.Next(300), Cancellation);
            await StopAsync();
            await Task.WhenAll(all);
        }

        private async Task FinishAsync()
        {
            await StartAsync();
            await Task.WhenAll(_senders.Select(sender => sender.FinishAsync(SignInAsync)));
            await Task.WhenAll(_recipients.Select((recipient, i) =>
                recipient.FinishAsync(SignInAsync, _senders.Sum(sender => sender.SentTo(i)), Cancellation)));
            await StopAsync();
            foreach (var recipient in _recipients)
            {
                TestContext.Current.TestOutputHelper!.WriteLine(
                    $"{recipient.Manner}: {recipient.Taken} taken, {recipient.Redelivered} redelivered, {recipient.Repeated} repeated");
            }

            // Else it was no test of what it says.
            Assert.NotEqual(0, _recipients.Sum(static recipient => recipient.Redelivered));
            Assert.NotEqual(0, _recipients.Sum(static recipient => recipient.Repeated));
        }

        private async Task StartAsync() => _server = await ServerProcess.StartAsync(
            _folder.FullName,
            Cancellation,
            "--Mailbox:MaxMessages=1000000",
            "--Mailbox:MaxBytes=1099511627776",
            "--Limits:RequestsPerSecondPerClient=1000000",
            "--Limits:RequestsBurstPerClient=1000000");

        private async Task StopAsync()
        {
            await _server!.DisposeAsync();
            Assert.DoesNotContain(_server.Lines, static line => line.Contains("fail:", StringComparison.Ordinal));
        }

        private async Task<TestClient> SignInAsync(TestDevice device)
        {
            var client = await TestClient.ConnectAsync(_server!.Port, _realm.ServerKey.PublicKey, Cancellation);
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
    }
}
