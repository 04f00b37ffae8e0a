using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Persistence.Sqlite;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Tests.Domain;

/// <summary>What is taken, once or not at all, and stays so across restarts with a real database.</summary>
public sealed class RelayTests : IAsyncLifetime
{
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(50);
    private static readonly DateTimeOffset Start = DateTimeOffset.FromUnixTimeMilliseconds(1_800_000_000_000);

    private readonly TempFolder _folder = new();
    private readonly MailboxOptions _limits = new();
    private readonly List<(TestCore Core, SqliteMailboxStore Store)> _started = [];
    private readonly TestDevice _alice = TestDevice.Of("alice");
    private readonly TestDevice _bob = TestDevice.Of("bob");
    private readonly TestDevice _phone;
    private TestCore _core = null!;
    private TestConnection _sender = null!;

    public RelayTests() => _phone = TestDevice.Of("bob", _bob.Client);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await StartAsync();
        _core.Disconnect(await _core.ConnectAsync(_bob));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (core, store) in _started)
        {
            await core.DisposeAsync();
            store.Dispose();
        }

        _folder.Dispose();
    }

    [Theory]
    [InlineData(Restart.None)]
    [InlineData(Restart.Clean)]
    [InlineData(Restart.Crash)]
    public async Task A_repeat_of_what_was_stored_is_answered_as_the_first_was_and_stored_once(Restart restart)
    {
        var submission = TestSend.Of(_alice, [_bob]);
        var first = await AnswerAsync(submission);
        await RestartAsync(restart);
        _core.Time.Advance(TimeSpan.FromHours(5));
        Assert.Equal((SendStatus.Accepted, first.AcceptedAt), Of(await AnswerAsync(submission)));
        Assert.Single(await StoredAsync(_bob));

        // And when it has been acknowledged.
        var bob = await _core.ConnectAsync(_bob);
        Assert.True(await _core.AcknowledgeAsync(bob, new MailboxRange(1, long.MaxValue)));
        await RestartAsync(restart);
        Assert.Equal((SendStatus.Accepted, first.AcceptedAt), Of(await AnswerAsync(submission)));
        Assert.Empty(await StoredAsync(_bob));
    }

    [Theory]
    [InlineData(Restart.None)]
    [InlineData(Restart.Clean)]
    public async Task An_id_is_forgotten_after_the_window(Restart restart)
    {
        var submission = TestSend.Of(_alice, [_bob]);
        await AnswerAsync(submission);
        await RestartAsync(restart);
        _core.Time.Advance(SenderHistory.Window - TimeSpan.FromHours(1));
        await AnswerAsync(submission);
        Assert.Single(await StoredAsync(_bob));
        _core.Time.Advance(TimeSpan.FromHours(1));
        await AnswerAsync(submission);
        Assert.Equal(2, (await StoredAsync(_bob)).Count);
    }

    [Theory]
    [InlineData(Restart.None)]
    [InlineData(Restart.Clean)]
    [InlineData(Restart.Crash)]
    public async Task Another_message_under_an_id_is_refused(Restart restart)
    {
        var submission = TestSend.Of(_alice, [_bob]);
        await AnswerAsync(submission);
        await RestartAsync(restart);
        Assert.Equal(SendStatus.MessageIdReused, (await AnswerAsync(TestSend.Of(_alice, [_bob], id: submission.Message))).Status);
        Assert.Single(await StoredAsync(_bob));
    }

    [Fact]
    public async Task A_repeat_of_what_is_under_way_is_answered_together_with_it()
    {
        var bob = await ReceiveAsync(_bob);
        var first = await _core.SendAsync(_sender, TestSend.Of(_alice, [_bob]));
        var other = await _core.ConnectAsync(_alice);
        var repeat = await _core.SendAsync(other, first.Submission);
        Assert.False(first.IsAnswered || repeat.IsAnswered);
        bob.Mailbox.Acknowledge([new MailboxRange(1, long.MaxValue)]);
        Assert.Equal(Of(await first.AnswerAsync(Cancellation)), Of(await repeat.AnswerAsync(Cancellation)));
        Assert.Single(bob.Pushed);
        Assert.Equal((1, 1), (first.Answers, repeat.Answers));
        Assert.Equal((SendStatus.Accepted, first.AcceptedAt), Of(await AnswerAsync(first.Submission)));
        Assert.Single(bob.Pushed);
    }

    [Fact]
    public async Task A_repeat_is_answered_even_if_the_recipient_has_another_device_by_now()
    {
        var submission = TestSend.Of(_alice, [_bob]);
        var first = await AnswerAsync(submission);
        _core.Disconnect(await _core.ConnectAsync(_phone));
        Assert.Equal(Of(first), Of(await AnswerAsync(submission)));
        Assert.Equal(SendStatus.MessageIdReused, (await AnswerAsync(TestSend.Of(_alice, [_bob], id: submission.Message))).Status);
    }

    [Fact]
    public async Task Ids_of_different_senders_and_devices_have_nothing_to_do_with_each_other()
    {
        var first = TestSend.Of(_alice, [_bob]);
        await AnswerAsync(first);
        foreach (var other in new[] { TestDevice.Of("mallory"), TestDevice.Of("alice", _alice.Client) })
        {
            var send = await _core.SendAsync(await _core.ConnectAsync(other), TestSend.Of(other, [_bob], id: first.Message));
            Assert.Equal(SendStatus.Accepted, (await send.AnswerAsync(Cancellation)).Status);
        }

        Assert.Equal(3, (await StoredAsync(_bob)).Count);
    }

    [Fact]
    public async Task An_unknown_recipient_is_told() =>
        Assert.Equal(SendStatus.UnknownClient, (await AnswerAsync(TestSend.Of(_alice, [TestDevice.Of("nobody")]))).Status);

    [Fact]
    public async Task Wrong_and_missing_devices_are_named_and_nothing_is_stored()
    {
        _core.Disconnect(await _core.ConnectAsync(_phone));
        var stranger = TestDevice.Of("bob", _bob.Client);
        var submission = TestSend.Of(_alice, [_bob, stranger]);
        var result = await AnswerAsync(submission);
        Assert.Equal(SendStatus.DevicesMismatched, result.Status);
        Assert.Equal([stranger.Device], result.Unknown);
        Assert.Equal([_phone.Device], result.Missing);
        Assert.Empty(await StoredAsync(_bob));

        // The id was not used up.
        Assert.Equal(SendStatus.Accepted, (await AnswerAsync(TestSend.Of(_alice, [_bob, _phone], id: submission.Message))).Status);
    }

    [Fact]
    public async Task Whoever_writes_to_itself_need_not_write_to_the_sending_device()
    {
        var other = TestDevice.Of("alice", _alice.Client);
        _core.Disconnect(await _core.ConnectAsync(other));
        Assert.Equal(SendStatus.Accepted, (await AnswerAsync(TestSend.Of(_alice, [other]))).Status);
        Assert.Single(await StoredAsync(other));
        Assert.Empty(await StoredAsync(_alice));

        // But it may; and nobody else may leave a device out.
        Assert.Equal(SendStatus.Accepted, (await AnswerAsync(TestSend.Of(_alice, [_alice, other]))).Status);
        Assert.Single(await StoredAsync(_alice));
        Assert.Equal([other.Device], (await AnswerAsync(TestSend.Of(_alice, [_alice]))).Missing);
    }

    [Theory]
    [InlineData(Restart.None)]
    [InlineData(Restart.Clean)]
    [InlineData(Restart.Crash)]
    public async Task A_mailbox_that_is_full_in_count_takes_nothing_until_something_is_acknowledged(Restart restart)
    {
        _limits.MaxMessages = 3;
        await AnswerAsync(3);
        await RestartAsync(restart);
        var refused = TestSend.Of(_alice, [_bob]);
        Assert.Equal(SendStatus.QuotaExceeded, (await AnswerAsync(refused)).Status);
        var second = (await StoredAsync(_bob))[1].Sequence;
        await _core.AcknowledgeAsync(await _core.ConnectAsync(_bob), new MailboxRange(second, second));
        Assert.Equal(SendStatus.Accepted, (await AnswerAsync(refused)).Status);
        Assert.Equal(SendStatus.QuotaExceeded, (await AnswerAsync(TestSend.Of(_alice, [_bob]))).Status);
    }

    [Theory]
    [InlineData(Restart.None)]
    [InlineData(Restart.Clean)]
    public async Task A_mailbox_that_is_full_in_bytes_takes_only_what_fits(Restart restart)
    {
        _limits.MaxBytes = 1000;
        Assert.Equal(SendStatus.Accepted, (await AnswerAsync(TestSend.Of(_alice, [_bob], new byte[900]))).Status);
        await RestartAsync(restart);
        Assert.Equal(SendStatus.QuotaExceeded, (await AnswerAsync(TestSend.Of(_alice, [_bob], new byte[101]))).Status);
        Assert.Equal(SendStatus.Accepted, (await AnswerAsync(TestSend.Of(_alice, [_bob], new byte[100]))).Status);
        var first = (await StoredAsync(_bob))[0].Sequence;
        await _core.AcknowledgeAsync(await _core.ConnectAsync(_bob), new MailboxRange(first, first));
        Assert.Equal(SendStatus.Accepted, (await AnswerAsync(TestSend.Of(_alice, [_bob], new byte[900]))).Status);
    }

    [Fact]
    public async Task What_expired_makes_room_when_it_is_swept()
    {
        _limits.MaxMessages = 2;
        await AnswerAsync(TestSend.Of(_alice, [_bob], timeToLive: 60));
        await AnswerAsync(1);
        _core.Time.Advance(TimeSpan.FromSeconds(60));
        Assert.Single(await StoredAsync(_bob));
        Assert.Equal(SendStatus.QuotaExceeded, (await AnswerAsync(TestSend.Of(_alice, [_bob]))).Status);
        using var sweeper = new Sweeper(_core.Queue, _core.Mailboxes, _core.Time);
        await sweeper.StartAsync(Cancellation);
        await Until.TrueAsync(
            async () =>
            {
                _core.Time.Advance(TimeSpan.FromSeconds(30));
                await _core.SettleAsync();
                return (await AnswerAsync(TestSend.Of(_alice, [_bob]))).Status == SendStatus.Accepted;
            },
            Cancellation);
        await sweeper.StopAsync(Cancellation);
        Assert.Equal(SendStatus.QuotaExceeded, (await AnswerAsync(TestSend.Of(_alice, [_bob]))).Status);
    }

    [Fact]
    public async Task A_message_of_which_one_envelope_does_not_fit_takes_no_room_anywhere()
    {
        _limits.MaxMessages = 2;
        await AnswerAsync(2);
        _core.Disconnect(await _core.ConnectAsync(_phone));
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(SendStatus.QuotaExceeded, (await AnswerAsync(TestSend.Of(_alice, [_phone, _bob]))).Status);
            Assert.Equal(SendStatus.QuotaExceeded, (await AnswerAsync(TestSend.Of(_alice, [_bob, _phone]))).Status);
        }

        Assert.Empty(await StoredAsync(_phone));
        await _core.AcknowledgeAsync(await _core.ConnectAsync(_bob), new MailboxRange(1, long.MaxValue));
        Assert.Equal(SendStatus.Accepted, (await AnswerAsync(TestSend.Of(_alice, [_phone, _bob]))).Status);
        Assert.Equal(SendStatus.Accepted, (await AnswerAsync(TestSend.Of(_alice, [_phone, _bob]))).Status);
        Assert.Equal(2, (await StoredAsync(_phone)).Count);
    }

    [Fact]
    public async Task The_quota_is_exact_under_parallel_senders()
    {
        _limits.MaxMessages = 100;
        var receiver = await ReceiveAsync(_bob);
        var sends = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(
            async () =>
            {
                var device = TestDevice.Of($"sender-{i}");
                var sender = await _core.ConnectAsync(device);
                var mine = new List<TestSend>();
                for (var j = 0; j < 25; j++)
                {
                    mine.Add(await _core.SendAsync(sender, TestSend.Of(device, [_bob], [(byte)j])));
                }

                return mine;
            },
            Cancellation)));
        _core.Time.Advance(Grace);
        var results = await Task.WhenAll(sends.SelectMany(static mine => mine).Select(static send => send.AnswerAsync(Cancellation)));
        Assert.Equal(100, results.Count(static result => result.Status == SendStatus.Accepted));
        Assert.Equal(100, results.Count(static result => result.Status == SendStatus.QuotaExceeded));
        Assert.Equal(100, receiver.Pushed.Count);
        Assert.All(receiver.Pushed.GroupBy(static envelope => envelope.Sender), static mine =>
            Assert.Equal(mine.Select(static envelope => envelope.Body[0]).Order(), mine.Select(static envelope => envelope.Body[0])));
        await _core.AcknowledgeAsync(receiver, new MailboxRange(1, long.MaxValue));
        _core.Disconnect(receiver);
        Assert.All(await AnswerAsync(100), static result => Assert.Equal(SendStatus.Accepted, result.Status));
        Assert.Equal(SendStatus.QuotaExceeded, (await AnswerAsync(TestSend.Of(_alice, [_bob]))).Status);
    }

    [Theory]
    [InlineData(Restart.Clean)]
    [InlineData(Restart.Crash)]
    public async Task A_number_is_never_used_again(Restart restart)
    {
        var seen = new Dictionary<long, MessageId>();
        for (var round = 0; round < 3; round++)
        {
            var bob = await ReceiveAsync(_bob);
            for (var i = 0; i < 3; i++)
            {
                await _core.SendAsync(_sender, TestSend.Of(_alice, [_bob]));
            }

            // Some are acknowledged, some are pushed and never written, and all are gone with a crash.
            var pushed = (await bob.WaitForAsync(3, Cancellation)).TakeLast(3).ToArray();
            await _core.AcknowledgeAsync(bob, new MailboxRange(pushed[0].Sequence, pushed[round % 2].Sequence));
            foreach (var envelope in bob.Pushed)
            {
                Assert.Equal(envelope.Message, seen.GetValueOrDefault(envelope.Sequence, envelope.Message));
                seen[envelope.Sequence] = envelope.Message;
            }

            Assert.True(pushed[2].Sequence >= seen.Keys.Max());
            if (restart == Restart.Clean)
            {
                _core.Disconnect(bob);
            }

            await RestartAsync(restart);
        }
    }

    [Fact]
    public async Task An_envelope_that_only_one_of_two_devices_had_before_a_crash_comes_to_the_other_with_the_repeat()
    {
        _core.Disconnect(await _core.ConnectAsync(_phone));
        await ReceiveAsync(_bob);

        // The phone's is stored at once; the other was pushed, never got through and was never written.
        var send = await _core.SendAsync(_sender, TestSend.Of(_alice, [_bob, _phone]));
        await Until.TrueAsync(async () => (await StoredAsync(_phone)).Count == 1, Cancellation);
        Assert.False(send.IsAnswered);
        await RestartAsync(Restart.Crash);

        Assert.Equal(SendStatus.Accepted, (await AnswerAsync(send.Submission)).Status);
        var bob = await ReceiveAsync(_bob);
        Assert.Equal(send.Message, (await bob.WaitForAsync(1, Cancellation))[0].Message);
    }

    [Fact]
    public async Task A_clean_stop_stores_what_was_pushed_and_not_acknowledged_and_answers_its_sender()
    {
        var bob = await ReceiveAsync(_bob);
        var send = await _core.SendAsync(_sender, TestSend.Of(_alice, [_bob]));
        _core.Disconnect(bob);
        await RestartAsync(Restart.Clean);
        Assert.Equal(SendStatus.Accepted, (await send.AnswerAsync(Cancellation)).Status);
        var next = await ReceiveAsync(_bob);
        Assert.Equal(send.Message, (await next.WaitForAsync(1, Cancellation))[0].Message);
    }

    [Fact]
    public async Task Messages_to_several_devices_are_in_all_of_their_mailboxes_with_one_answer()
    {
        _core.Disconnect(await _core.ConnectAsync(_phone));
        var bob = await ReceiveAsync(_bob);
        var send = await _core.SendAsync(_sender, TestSend.Of(_alice, [_bob, _phone]));
        await Until.TrueAsync(async () => (await StoredAsync(_phone)).Count == 1, Cancellation);
        await _core.SettleAsync();
        Assert.False(send.IsAnswered);
        bob.Mailbox.Acknowledge([new MailboxRange(1, long.MaxValue)]);
        Assert.Equal(SendStatus.Accepted, (await send.AnswerAsync(Cancellation)).Status);
        Assert.Equal(1, send.Answers);
        Assert.Empty(await StoredAsync(_bob));
    }

    /// <summary>What happens to the server.</summary>
    public enum Restart
    {
        None,
        Clean,
        Crash,
    }

    private static (SendStatus Status, DateTimeOffset AcceptedAt) Of(SendResult result) => (result.Status, result.AcceptedAt);

    private async Task StartAsync(DateTimeOffset? now = null)
    {
        var store = await SqliteFile.OpenAsync(_folder.File("message.db"));
        _core = await TestCore.StartAsync(store, _limits, now ?? Start);
        _started.Add((_core, store));
        _sender = await _core.ConnectAsync(_alice);
    }

    private async Task RestartAsync(Restart restart)
    {
        if (restart == Restart.None)
        {
            return;
        }

        if (restart == Restart.Clean)
        {
            await _core.StopAsync();
        }

        // After a crash nothing of the old one does anything any more: its clock stands still.
        await StartAsync(_core.Time.GetUtcNow());
    }

    private async Task<TestConnection> ReceiveAsync(TestDevice device)
    {
        var connection = await _core.ConnectAsync(device, 1000);
        await _core.SettleAsync();
        return connection;
    }

    private async Task<SendResult> AnswerAsync(Submission submission) =>
        await (await _core.SendAsync(_sender, submission)).AnswerAsync(Cancellation);

    private async Task<SendResult[]> AnswerAsync(int count)
    {
        var results = new SendResult[count];
        for (var i = 0; i < count; i++)
        {
            results[i] = await AnswerAsync(TestSend.Of(_alice, [_bob]));
        }

        return results;
    }

    private async Task<IReadOnlyList<StoredEnvelope>> StoredAsync(TestDevice device) => await _core.Store.ReadAsync(
        (await _core.Store.FindAsync(device.Client)).Single(state => state.Device == device.Address).Id,
        0,
        _core.Time.GetUtcNow(),
        1000,
        long.MaxValue);
}
