using System.Collections.Concurrent;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.MessageServer.Tests.Wire;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>What a server that is told to stop leaves behind.</summary>
public sealed class DrainTests : IAsyncLifetime
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 120_000;
    private const int Senders = 6;
    private const int EachWaiting = 40;

    private TestServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory(Timeout = Patience)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Under_load_every_answer_holds_after_the_restart(bool isReceiving)
    {
        var bob = TestDevice.Of("bob");
        await using var receiver = await _server.SignInAsync(bob, Cancellation);
        if (isReceiving)
        {
            // Takes what comes and acknowledges nothing: all of it waits in its grace when the stop comes.
            await receiver.GrantAsync(1000, Cancellation);
        }

        var accepted = new ConcurrentDictionary<MessageId, bool>();
        var refused = new ConcurrentDictionary<MessageId, bool>();
        var sending = new List<Task>();
        var clients = new List<TestClient>();
        for (var i = 0; i < Senders; i++)
        {
            var client = await _server.SignInAsync(TestDevice.Of($"sender-{i}"), Cancellation);
            clients.Add(client);
            sending.AddRange(Enumerable.Range(0, EachWaiting).Select(_ => SendUntilTheEndAsync(client, bob, accepted, refused)));
        }

        await Until.TrueAsync(() => accepted.Count > 100, Cancellation);
        await _server.StopAsync();
        await Task.WhenAll(sending);

        foreach (var client in clients)
        {
            Assert.Equal(NoticeKind.ShuttingDown, (await client.NextNoticeAsync(Cancellation)).Kind);
            await client.DisposeAsync();
        }

        // Nobody was told to come again: what was read was settled.
        Assert.Empty(refused);
        await _server.StartAgainAsync();
        await using var again = await _server.SignInAsync(bob, Cancellation);
        var newest = (await again.GrantAsync(1000, Cancellation)).NewestWaiting;
        var stored = new HashSet<MessageId>();
        for (var last = 0UL; last < newest;)
        {
            var delivery = await again.NextDeliveryAsync(Cancellation);
            last = delivery.Sequence;
            Assert.True(stored.Add(delivery.Message));
            await again.AcknowledgeAsync(last, last, Cancellation);
            await again.GrantAsync(1, Cancellation);
        }

        Assert.Empty(accepted.Keys.Except(stored));

        // What was not read is not stored, so nothing is but what was answered.
        Assert.Empty(stored.Except(accepted.Keys));
    }

    [Fact(Timeout = Patience)]
    public async Task Two_who_wait_for_each_other_s_acknowledgement_are_both_answered()
    {
        // The clock stands still: nothing is stored because its moment is over.
        await using var server = await TestServer.StartAsync(new FakeTimeProvider(DateTimeOffset.UtcNow));
        var (alice, bob) = (TestDevice.Of("alice"), TestDevice.Of("bob"));
        await using var fromAlice = await server.SignInAsync(alice, Cancellation);
        await using var fromBob = await server.SignInAsync(bob, Cancellation);
        await SettleAsync(fromAlice, fromBob, bob);
        await SettleAsync(fromBob, fromAlice, alice);
        var sent = new[] { fromAlice.SendAsync(bob, Cancellation), fromBob.SendAsync(alice, Cancellation) };
        await fromAlice.NextDeliveryAsync(Cancellation);
        await fromBob.NextDeliveryAsync(Cancellation);
        Assert.All(sent, static sending => Assert.False(sending.IsCompleted));

        await server.StopAsync();

        await Task.WhenAll(sent);
        await server.StartAgainAsync();
        foreach (var device in new[] { alice, bob })
        {
            await using var again = await server.SignInAsync(device, Cancellation);
            await again.GrantAsync(10, Cancellation);
            await again.NextDeliveryAsync(Cancellation);
        }
    }

    [Fact(Timeout = Patience)]
    public async Task A_drain_that_was_undone_leaves_all_as_it_was()
    {
        var drain = _server.App.Services.GetRequiredService<DrainService>();
        var bob = TestDevice.Of("bob");
        await using (await _server.SignInAsync(bob, Cancellation))
        {
        }

        drain.Start(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5));
        Assert.True(drain.TryUndo());

        await using var alice = await _server.SignInAsync(TestDevice.Of("alice"), Cancellation);
        await using var receiver = await _server.SignInAsync(bob, Cancellation);
        await SettleAsync(alice, receiver, bob);
    }

    // A message that is acknowledged: from then on the mailbox has numbers to push with.
    private static async Task SettleAsync(TestClient sender, TestClient receiver, TestDevice to)
    {
        await receiver.GrantAsync(10, Cancellation);
        var sending = sender.SendAsync(to, Cancellation);
        var sequence = (await receiver.NextDeliveryAsync(Cancellation)).Sequence;
        await receiver.AcknowledgeAsync(sequence, sequence, Cancellation);
        await sending;
    }

    private static async Task SendUntilTheEndAsync(
        TestClient client, TestDevice to, ConcurrentDictionary<MessageId, bool> accepted, ConcurrentDictionary<MessageId, bool> refused)
    {
        while (true)
        {
            var message = TestClient.Message(to);
            try
            {
                await client.Connection.RequestAsync<MessageAccepted>(message, Cancellation);
                accepted[message.Message] = true;
            }
            catch (ChannelException)
            {
                return;
            }
            catch (RequestRefusedException)
            {
                refused[message.Message] = true;
            }
        }
    }
}
