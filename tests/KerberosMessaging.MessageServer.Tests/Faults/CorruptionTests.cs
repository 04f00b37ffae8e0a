using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.MessageServer.Tests.Faults;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>A database with a broken page: whoever has nothing to do with it goes on, and nothing is deleted.</summary>
public sealed class CorruptionTests
{
    private const int Patience = 120_000;
    private const int PageSize = 4096;
    private const int Messages = 60;
    private const int MostLines = 150;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory(Timeout = Patience)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_broken_page_of_one_mailbox_hurts_no_other_and_what_it_hides_is_not_deleted(bool isRunning)
    {
        await using var store = await FaultyStore.StartAsync(prepare: null);
        var dave = TestDevice.Of("dave");
        await (await store.SignInAsync(dave)).DisposeAsync();
        var (hidden, others) = (new List<SendMessageRequest>(), new List<SendMessageRequest>());
        await using (var alice = await store.SignInAsync(store.Alice))
        {
            for (var i = 0; i < Messages; i++)
            {
                hidden.Add(await SendAsync(alice, store.Carol));
            }

            others.Add(await SendAsync(alice, dave));
        }

        if (!isRunning)
        {
            await store.KillAsync();
        }

        var page = FindPage(store, hidden[Messages / 2].Envelopes[0].Envelope);
        var content = Overwrite(store.Database, page, new byte[PageSize]);
        if (!isRunning)
        {
            await store.StartAgainAsync();
        }

        using (var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation))
        {
            // Its owner and somebody who writes to it try all the time.
            var hurt = Task.WhenAll(SignInAgainAndAgainAsync(store, stop.Token), SendAgainAndAgainAsync(store, hidden, stop.Token));
            await using var alice = await store.SignInAsync(store.Alice);
            await using var bob = await store.SignInAsync(store.Bob);
            await bob.GrantAsync(1000, Cancellation);
            var from = TimeProvider.System.GetTimestamp();
            var refused = 0;
            while (TimeProvider.System.GetElapsedTime(from) < TimeSpan.FromSeconds(5))
            {
                await FaultyStore.PassAsync(alice, bob, store.Bob);
                var message = TestClient.Message(dave);
                others.Add(message);
                while (await FaultyStore.TrySendAsync(alice, message) is not null)
                {
                    refused++;
                }
            }

            await stop.CancelAsync();
            await hurt;
            TestContext.Current.TestOutputHelper!.WriteLine($"{others.Count} taken, {refused} refused, {store.Server.Lines.Count} lines");
            Assert.False(store.Server.HasExited);
            Assert.Equal(0, refused);
            Assert.InRange(store.Server.Lines.Count, 1, MostLines);
        }

        await store.AssertHasAllAsync(dave, others);
        await store.KillAsync();
        Overwrite(store.Database, page, content);
        await store.StartAgainAsync();
        await store.AssertHasAllAsync(store.Carol, hidden);
    }

    private static async Task<SendMessageRequest> SendAsync(TestClient client, TestDevice recipient)
    {
        // So long that a page has one.
        var message = TestClient.Message(recipient, TestEnvelope.Make(blocks: 200));
        await client.Connection.RequestAsync<MessageAccepted>(message, Cancellation);
        return message;
    }

    private static async Task SignInAgainAndAgainAsync(FaultyStore store, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await using var carol = await store.SignInAsync(store.Carol);
                await carol.GrantAsync(1000, Cancellation);
                await carol.FenceAsync(Cancellation);
            }
            catch (RequestRefusedException e)
            {
                Assert.Equal(ProtocolError.Busy, e.Error);
            }
            catch (ChannelException e)
            {
                Assert.Equal(ProtocolError.Internal, e.PeerError);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), Cancellation);
        }
    }

    private static async Task SendAgainAndAgainAsync(FaultyStore store, List<SendMessageRequest> accepted, CancellationToken stop)
    {
        await using var eve = await store.SignInAsync(TestDevice.Of("eve"));
        while (!stop.IsCancellationRequested)
        {
            var message = TestClient.Message(store.Carol);
            if (await FaultyStore.TrySendAsync(eve, message) is null)
            {
                accepted.Add(message);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), Cancellation);
        }
    }

    // All that is in the log goes into the database first.
    private static long FindPage(FaultyStore store, byte[] envelope)
    {
        using (var connection = store.Open())
        {
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA wal_checkpoint(TRUNCATE)";
            using var reader = command.ExecuteReader();
            Assert.True(reader.Read());
            Assert.Equal(0, reader.GetInt32(0));
        }

        using var file = new FileStream(store.Database, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        var at = bytes.AsSpan().IndexOf(envelope.AsSpan(0, 64));
        Assert.NotEqual(-1, at);
        return at / PageSize;
    }

    private static byte[] Overwrite(string path, long page, ReadOnlySpan<byte> content)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        var before = new byte[PageSize];
        file.Position = page * PageSize;
        file.ReadExactly(before);
        file.Position = page * PageSize;
        file.Write(content);
        return before;
    }
}
