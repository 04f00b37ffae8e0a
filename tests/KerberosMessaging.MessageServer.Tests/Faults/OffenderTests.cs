using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;

namespace KerberosMessaging.MessageServer.Tests.Faults;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>
/// Peers that take and give nothing back: others' messages go on, and the server's memory stays bounded. The figures are the
/// relay benchmark's (<c>--offender</c>); the bounds here are those that hold on a busy machine.
/// </summary>
public sealed class OffenderTests
{
    private const int Patience = 120_000;
    private const int MaxMessages = 2000;
    private const int MaxBytes = 16 * 1024 * 1024;

    // Every offender may fill a mailbox, a queue of 1 MiB and some buffers; the rest is what a collector leaves lying.
    private const long MostGrowth = 160L * 1024 * 1024;

    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(4);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory(Timeout = Patience)]
    [InlineData(true)]
    [InlineData(false)]
    public Task A_recipient_that_does_not_read_or_a_byte_a_second_fills_its_own_mailbox_alone(bool readsNothing) => BesideAsync(async (store, offend) =>
    {
        var offender = TestDevice.Of("offender");
        var pipe = await SlowPipe.ConnectAsync(store.Server.Port, Cancellation);
        await using var connection = await store.SignInAsync(offender, pipe);
        await connection.RequestAsync<CreditGranted>(new GrantCreditRequest(1000), Cancellation);
        pipe.SlowDown(readsNothing);
        await offend(stop => FloodAsync(store, offender, envelopeBytes: 16 * 1024, stop));
    });

    [Fact(Timeout = Patience)]
    public Task A_recipient_that_acknowledges_nothing_gets_what_it_gave_credit_for_and_its_mailbox_fills() => BesideAsync(async (store, offend) =>
    {
        var offender = TestDevice.Of("offender");
        await using var client = await store.SignInAsync(offender);
        await client.GrantAsync(1000, Cancellation);
        await offend(stop => FloodAsync(store, offender, envelopeBytes: 256, stop));
        await client.FenceAsync(Cancellation);
        Assert.Equal(1000, client.Waiting);
    });

    [Fact(Timeout = Patience)]
    public Task Two_thousand_connections_that_never_speak_are_ended() => BesideAsync(async (store, offend) =>
    {
        var sockets = new List<Socket>();
        try
        {
            await offend(async stop =>
            {
                for (var i = 0; i < 2000 && !stop.IsCancellationRequested; i++)
                {
                    var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                    sockets.Add(socket);
                    await socket.ConnectAsync(IPAddress.Loopback, store.Server.Port, Cancellation);
                }
            });

            // Each is told what is wrong, or not even that, and is ended.
            await Task.WhenAll(sockets.Select(static socket => ReadToEndAsync(socket)));
        }
        finally
        {
            sockets.ForEach(static socket => socket.Dispose());
        }
    });

    [Fact(Timeout = Patience)]
    public Task A_sender_of_the_largest_messages_slows_nobody_else_much() => BesideAsync(async (store, offend) =>
    {
        var friend = TestDevice.Of("friend");
        await using var receiving = await store.SignInAsync(friend);
        await receiving.GrantAsync(1000, Cancellation);
        await using var sending = await store.SignInAsync(TestDevice.Of("offender"));
        var taken = 0;
        await offend(async stop =>
        {
            var envelope = TestEnvelope.Make(TestEnvelope.MostBlocks);
            while (!stop.IsCancellationRequested)
            {
                var answers = Enumerable.Range(0, 4)
                    .Select(_ => FaultyStore.TrySendAsync(sending, TestClient.Message(friend, envelope))).ToArray();
                await Task.WhenAll(answers);
                while (receiving.Waiting > 0)
                {
                    var number = (await receiving.NextDeliveryAsync(Cancellation)).Sequence;
                    await receiving.Connection.RequestAsync<Done>(
                        new AcknowledgeRequest([new SequenceRange(number, number)], 1), Cancellation);
                    taken++;
                }
            }
        });
        Assert.NotEqual(0, taken);
    });

    /// <summary>Has a pair exchange messages before and while somebody offends.</summary>
    private static async Task BesideAsync(Func<FaultyStore, Func<Func<CancellationToken, Task>, Task>, Task> test)
    {
        await using var store = await FaultyStore.StartAsync(
            prepare: null, $"--Mailbox:MaxMessages={MaxMessages}", $"--Mailbox:MaxBytes={MaxBytes}", "--Wire:HandshakeDeadlineSeconds=3");
        await using var alice = await store.SignInAsync(store.Alice);
        await using var bob = await store.SignInAsync(store.Bob);
        await bob.GrantAsync(1000, Cancellation);
        await ExchangeAsync(store, alice, bob);
        var before = await ExchangeAsync(store, alice, bob);
        var memory = store.Server.ResidentBytes;

        await test(store, async offend =>
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            var offending = Task.Run(() => offend(stop.Token), Cancellation);
            var beside = await ExchangeAsync(store, alice, bob);
            var growth = store.Server.ResidentBytes - memory;
            await stop.CancelAsync();
            await offending;
            TestContext.Current.TestOutputHelper!.WriteLine(
                $"before {before}, beside {beside}, memory grew by {growth >> 20} MiB");
            Assert.InRange(beside.Median, TimeSpan.Zero, (20 * before.Median) + TimeSpan.FromMilliseconds(50));
            Assert.InRange(beside.Worst, TimeSpan.Zero, (10 * before.Worst) + TimeSpan.FromSeconds(1));
            Assert.InRange(growth, long.MinValue, MostGrowth);
        });

        // And all is as before.
        await ExchangeAsync(store, alice, bob);
        Assert.False(store.Server.HasExited);
        Assert.DoesNotContain(store.Server.Lines, static line => line.Contains("fail:", StringComparison.Ordinal));
    }

    /// <summary>One message after the other: from its sending to its arrival.</summary>
    private static async Task<Times> ExchangeAsync(FaultyStore store, TestClient alice, TestClient bob)
    {
        var times = new List<TimeSpan>();
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < Measured)
        {
            var at = Stopwatch.GetTimestamp();
            var sending = alice.SendAsync(store.Bob, Cancellation);
            var number = (await FaultyStore.NextDeliveryAsync(bob, sending)).Sequence;
            times.Add(Stopwatch.GetElapsedTime(at));
            await bob.Connection.RequestAsync<Done>(new AcknowledgeRequest([new SequenceRange(number, number)], 1), Cancellation);
            await sending;
        }

        times.Sort();
        return new Times(times[times.Count / 2], times[times.Count * 99 / 100]);
    }

    /// <summary>Sends to a mailbox until it is full, and goes on trying.</summary>
    private static async Task FloodAsync(FaultyStore store, TestDevice recipient, int envelopeBytes, CancellationToken stop)
    {
        await using var client = await store.SignInAsync(TestDevice.Of("friend"));
        var (refused, accepted) = (0, 0);
        while (!stop.IsCancellationRequested || refused == 0)
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 16)
                .Select(_ => FaultyStore.TrySendAsync(client, TestClient.Message(recipient, TestEnvelope.Make(envelopeBytes / 16)))));
            foreach (var refusal in answers)
            {
                if (refusal is null)
                {
                    accepted++;
                }
                else
                {
                    Assert.Equal(ProtocolError.QuotaExceeded, refusal.Error);
                    refused++;
                }
            }
        }

        Assert.InRange(accepted, 1, MaxMessages);
        Assert.InRange((long)accepted * envelopeBytes, 1, MaxBytes);
    }

    private static async Task ReadToEndAsync(Socket socket)
    {
        try
        {
            var buffer = new byte[256];
            while (await socket.ReceiveAsync(buffer, Cancellation) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // Ended with a reset, which is an end too.
        }
    }

    private sealed record Times(TimeSpan Median, TimeSpan Worst)
    {
        public override string ToString() => $"p50 {Median.TotalMilliseconds:F2} ms, p99 {Worst.TotalMilliseconds:F2} ms";
    }
}
