using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;

namespace KerberosMessaging.MessageServer.Tests.Faults;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>Disks that are full, broken or read-only: a clear refusal, no end of the server, and all as it was when the cause is gone.</summary>
public sealed class DiskTests
{
    private const int Patience = 120_000;
    private const int EnvelopeBytes = 32 * 1024;

    // Some seconds of trying in vain, told once and then now and then.
    private const int MostLines = 10;

    // The server looks every two seconds how full it is; in between, little is sent.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = Patience)]
    public async Task On_a_full_disk_senders_are_told_to_come_again_and_all_is_well_when_it_has_room()
    {
        string? ballast = null;
        await using var store = await FaultyStore.StartAsync(
            folder =>
            {
                var mount = Machine.MountSmall(folder, "8m");
                ballast = Path.Combine(folder, "ballast");
                File.WriteAllBytes(ballast, new byte[3 * 1024 * 1024]);
                return mount;
            },
            "--Mailbox:MinimumFreeDiskBytes=0");
        var kept = await FailAndRecoverAsync(store, () => File.Delete(ballast!));

        // Killed with a full disk again, it starts on it.
        await File.WriteAllBytesAsync(ballast!, new byte[2 * 1024 * 1024], Cancellation);
        await using (var alice = await store.SignInAsync(store.Alice))
        {
            var (messages, refusal) = await FaultyStore.FillAsync(alice, store.Carol, EnvelopeBytes);
            Assert.Equal(ProtocolError.Busy, refusal.Error);
            kept.AddRange(messages.SkipLast(1));
        }

        await store.KillAsync();
        FillToTheLastByte(ballast!);
        await store.StartAgainAsync();
        File.Delete(ballast!);
        await store.AssertHasAllAsync(store.Carol, kept);
    }

    [Fact(Timeout = Patience)]
    public async Task While_nothing_can_be_written_senders_are_told_to_come_again_and_later_all_is_well()
    {
        await using var store = await FaultyStore.StartAsync(prepare: null);
        Machine.LimitFileSize(store.Server.Id, 2 * 1024 * 1024);
        var kept = await FailAndRecoverAsync(store, () => Machine.LimitFileSize(store.Server.Id, null));
        await store.KillAsync();
        await store.StartAgainAsync();
        await store.AssertHasAllAsync(store.Carol, kept);
    }

    [Fact(Timeout = Patience)]
    public async Task With_little_room_left_messages_are_refused_and_acknowledgements_are_not()
    {
        await using var store = await FaultyStore.StartAsync(prepare: null, "--Mailbox:MaxStoreBytes=16777216", "--Mailbox:MinimumFreeDiskBytes=0");
        await using var alice = await store.SignInAsync(store.Alice);
        var (messages, refusal) = await FaultyStore.FillAsync(alice, store.Carol, 8 * EnvelopeBytes, Pause);
        Assert.Equal((ProtocolError.Busy, TimeSpan.FromSeconds(60)), (refusal.Error, refusal.RetryAfter));

        // What was taken is known even now, and what an absent device has is its own.
        await alice.Connection.RequestAsync<MessageAccepted>(messages[^2], Cancellation);
        Assert.NotNull(await FaultyStore.TrySendAsync(alice, TestClient.Message(store.Bob)));

        await using (var carol = await store.SignInAsync(store.Carol))
        {
            await carol.GrantAsync(1000, Cancellation);
            var deliveries = await carol.NextDeliveriesAsync(messages.Count - 1, Cancellation);
            Assert.Equal(messages.SkipLast(1).Select(static message => message.Message), deliveries.Select(static delivery => delivery.Message));
            await carol.AcknowledgeAsync(deliveries[0].Sequence, deliveries[^1].Sequence, Cancellation);
        }

        await FaultyStore.SendUntilAcceptedAsync(alice, messages[^1]);
        await store.AssertHasAllAsync(store.Carol, [messages[^1]]);
        Assert.Single(store.Server.Lines, static line => line.Contains("The store is full", StringComparison.Ordinal));
    }

    [Fact(Timeout = Patience)]
    public async Task With_little_room_on_the_disk_messages_are_refused_before_nothing_can_be_written()
    {
        string? ballast = null;
        await using var store = await FaultyStore.StartAsync(
            folder =>
            {
                var mount = Machine.MountSmall(folder, "32m");
                ballast = Path.Combine(folder, "ballast");
                return mount;
            },
            "--Mailbox:MinimumFreeDiskBytes=8388608");
        await using var alice = await store.SignInAsync(store.Alice);
        var kept = new List<SendMessageRequest> { TestClient.Message(store.Carol) };
        await FaultyStore.SendUntilAcceptedAsync(alice, kept[0]);

        await File.WriteAllBytesAsync(ballast!, new byte[25 * 1024 * 1024], Cancellation);
        var (messages, refusal) = await FaultyStore.FillAsync(alice, store.Carol, 1024, Pause);
        Assert.Equal((ProtocolError.Busy, TimeSpan.FromSeconds(60)), (refusal.Error, refusal.RetryAfter));
        kept.AddRange(messages);
        await using (var bob = await store.SignInAsync(store.Bob))
        {
            // It is written: the number is that of nothing, but the server cannot know that.
            await bob.AcknowledgeAsync(1, 1, Cancellation);
            await bob.Connection.RequestAsync<PrekeyStatus>(new UploadPrekeysRequest([1, 2, 3], 0, []), Cancellation);
        }

        File.Delete(ballast!);
        await FaultyStore.SendUntilAcceptedAsync(alice, messages[^1]);
        await store.AssertHasAllAsync(store.Carol, kept);
        Assert.DoesNotContain(store.Server.Lines, static line => line.Contains("could not be committed", StringComparison.Ordinal));
    }

    [Fact(Timeout = Patience)]
    public async Task A_server_does_not_start_on_a_read_only_disk_and_says_so_in_one_line()
    {
        await using var store = await FaultyStore.StartAsync(static folder => Machine.MountSmall(folder, "32m"), "--Mailbox:MinimumFreeDiskBytes=0");
        var message = TestClient.Message(store.Carol);
        await using (var alice = await store.SignInAsync(store.Alice))
        {
            await FaultyStore.SendUntilAcceptedAsync(alice, message);
        }

        await store.KillAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Machine.Remount(store.Folder, isWritable: false);
        try
        {
            var (exitCode, lines) = await store.RefuseToStartAsync();
            Assert.Equal(1, exitCode);
            Assert.Contains("cannot start: ", Assert.Single(lines), StringComparison.Ordinal);
        }
        finally
        {
            Machine.Remount(store.Folder, isWritable: true);
        }

        await store.StartAgainAsync();
        await store.AssertHasAllAsync(store.Carol, [message]);
    }

    private static void FillToTheLastByte(string file)
    {
        using var handle = File.OpenHandle(file, FileMode.Append, FileAccess.Write);
        var at = RandomAccess.GetLength(handle);
        var block = new byte[4096];
        while (true)
        {
            try
            {
                RandomAccess.Write(handle, block, at);
                at += block.Length;
            }
            catch (IOException)
            {
                return;
            }
        }
    }

    /// <summary>Fills a store until nothing can be written, and takes the cause away.</summary>
    /// <returns>What carol must have then.</returns>
    private static async Task<List<SendMessageRequest>> FailAndRecoverAsync(FaultyStore store, Action recover)
    {
        await using var alice = await store.SignInAsync(store.Alice);
        await using var bob = await store.SignInAsync(store.Bob);
        await bob.GrantAsync(1000, Cancellation);
        await FaultyStore.PassAsync(alice, bob, store.Bob);

        var (messages, refusal) = await FaultyStore.FillAsync(alice, store.Carol, EnvelopeBytes);
        Assert.Equal((ProtocolError.Busy, TimeSpan.FromSeconds(1)), (refusal.Error, refusal.RetryAfter));
        var lines = store.Server.Lines.Count;
        var from = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(from) < TimeSpan.FromSeconds(4))
        {
            // One that comes again as fast as it can; and two who need no disk.
            Assert.Equal(ProtocolError.Busy, (await FaultyStore.TrySendAsync(alice, messages[^1]))?.Error);
            await FaultyStore.PassAsync(alice, bob, store.Bob);
        }

        Assert.False(store.Server.HasExited);
        Assert.InRange(store.Server.Lines.Count - lines, 0, MostLines);

        recover();
        await FaultyStore.SendUntilAcceptedAsync(alice, messages[^1]);
        var more = TestClient.Message(store.Carol);
        await FaultyStore.SendUntilAcceptedAsync(alice, more);
        messages.Add(more);
        return messages;
    }
}
