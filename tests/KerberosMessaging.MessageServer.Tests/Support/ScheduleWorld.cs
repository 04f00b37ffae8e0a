using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Tests.Support;

/// <summary>
/// Two senders and a recipient with two devices around one server. Clients do what the protocol asks of them: a sender repeats what
/// has no answer in its order before anything new, a device keeps what it has seen and knows repeats by sender and message id.
/// </summary>
internal sealed class ScheduleWorld : IAsyncDisposable
{
    private static readonly MailboxOptions Limits = new();

    private readonly MemoryMailboxStore.Disk _disk = new();
    private readonly List<TestCore> _killed = [];
    private readonly Sender[] _senders = [new("alice"), new("amy")];
    private readonly Receiver[] _receivers;
    private MemoryMailboxStore _store = null!;
    private TestCore _core = null!;
    private bool _isHeld;

    private ScheduleWorld()
    {
        var bob = TestDevice.Of("bob");
        _receivers = [new(bob), new(TestDevice.Of("bob", bob.Client))];
    }

    public static async Task<ScheduleWorld> StartAsync()
    {
        var world = new ScheduleWorld();
        await world.StartServerAsync(DateTimeOffset.FromUnixTimeMilliseconds(1_800_000_000_000));
        foreach (var receiver in world._receivers)
        {
            world._core.Disconnect(await world._core.ConnectAsync(receiver.Device));
        }

        return world;
    }

    public async Task PlayAsync(ScheduleStep step, int pick)
    {
        var sender = _senders[pick % 2];
        var receiver = _receivers[pick % 2];
        pick /= 2;
        switch (step)
        {
            case ScheduleStep.Send:
                sender.Messages.Add(new Message(TestSend.Of(
                    sender.Device, [.. _receivers.Select(static each => each.Device)], [(byte)sender.Messages.Count])));
                await GiveAsync(sender, sender.Messages[^1]);
                break;
            case ScheduleStep.Repeat when sender.Messages.Count > 0:
                await GiveAsync(sender, sender.Messages[pick % sender.Messages.Count]);
                break;
            case ScheduleStep.Read:
                receiver.Read(1 + (pick % 4));
                break;
            case ScheduleStep.Acknowledge:
                receiver.Acknowledge(_core, static _ => true);
                break;
            case ScheduleStep.AcknowledgeSome:
                receiver.Acknowledge(_core, index => ((pick >> (index % 8)) & 1) == 0);
                break;
            case ScheduleStep.AcknowledgeAgain:
                receiver.AcknowledgeAgain(_core);
                break;
            case ScheduleStep.Connect:
                await ConnectAsync(receiver, (uint)(1 + (pick % 5)));
                break;
            case ScheduleStep.Close:
                receiver.Connection?.Close();
                receiver.Leave();
                break;
            case ScheduleStep.Vanish:
                receiver.Leave();
                break;
            case ScheduleStep.NoticeEnd when receiver.Ended.Count > 0:
                _core.Disconnect(receiver.Ended[0]);
                receiver.Ended.RemoveAt(0);
                break;
            case ScheduleStep.Grant when receiver.Connection is { } connection:
                receiver.Granted += (uint)(pick % 4);
                await _core.Deliveries.GrantAsync(connection, (uint)(pick % 4));
                break;
            case ScheduleStep.SetRoom:
                receiver.Connection?.SetRoom(pick % 4 == 3 ? int.MaxValue : pick % 4);
                break;
            case ScheduleStep.Advance:
                _core.Time.Advance(TimeSpan.FromMilliseconds(10 + (pick % 50)));
                break;
            case ScheduleStep.Hold:
                _store.Hold();
                _isHeld = true;
                break;
            case ScheduleStep.Release:
                Release();
                break;
            case ScheduleStep.Settle:
                await SettleAsync();
                break;
            case ScheduleStep.Sweep:
                _core.Mailboxes.Sweep();
                break;
            case ScheduleStep.Crash:
                await CrashAsync();
                break;
            case ScheduleStep.Restart:
                await RestartAsync();
                break;
            default:
                break;
        }

        Harvest();
    }

    /// <summary>Lets everything arrive, and compares.</summary>
    public async Task EndAsync()
    {
        Release();
        foreach (var receiver in _receivers)
        {
            await ConnectAsync(receiver, 1000);
        }

        var started = TimeProvider.System.GetTimestamp();
        while (!_senders.All(static sender => sender.Messages.TrueForAll(static message => message.AcceptedAt is not null))
            || !_receivers.All(receiver => _senders.All(sender => receiver.Seen(sender).Count >= sender.Messages.Count))
            || _receivers.Any(static receiver => receiver.HasUnread))
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Until.Deadline, Describe());
            _core.Time.Advance(TimeSpan.FromMilliseconds(new MailboxOptions().PushGraceMilliseconds));
            await SettleAsync();
            Harvest();
            foreach (var receiver in _receivers)
            {
                receiver.Read(int.MaxValue);
                receiver.Acknowledge(_core, static _ => true);
            }
        }

        foreach (var receiver in _receivers)
        {
            foreach (var sender in _senders)
            {
                Assert.Equal(sender.Messages.Select(static message => message.Submission.Message), receiver.Seen(sender));
            }

            receiver.AcknowledgeAgain(_core);
        }

        await SettleAsync();
        Harvest();
        Assert.Empty(_disk.Committed.Envelopes);
        foreach (var receiver in _receivers)
        {
            // Nothing is in it and nothing is counted that is not.
            var mailbox = receiver.Connection!.Mailbox;
            Assert.Equal(0, mailbox.NewestUnsettled(out var isStored));
            Assert.False(isStored);
            Assert.Equal(RoomResult.Taken, mailbox.TakeRoom(1, new MailboxOptions { MaxMessages = 1, MaxBytes = 1 }));
        }

        Assert.DoesNotContain(_core.Log.Lines, static line => line.Level >= Microsoft.Extensions.Logging.LogLevel.Error);
    }

    public async ValueTask DisposeAsync()
    {
        Release();
        await _core.DisposeAsync();
        foreach (var killed in _killed)
        {
            await killed.DisposeAsync();
        }
    }

    private async Task StartServerAsync(DateTimeOffset now)
    {
        _store = new MemoryMailboxStore(_disk);
        _isHeld = false;
        _core = await TestCore.StartAsync(_store, Limits, now, clientsInMemory: 0);
        foreach (var sender in _senders)
        {
            sender.Connection = await _core.ConnectAsync(sender.Device);
            sender.Sends.Clear();
            foreach (var message in sender.Messages.Where(static message => message.AcceptedAt is null))
            {
                await GiveAsync(sender, message);
            }
        }
    }

    private async Task GiveAsync(Sender sender, Message message) =>
        sender.Sends.Add((message, await _core.SendAsync(sender.Connection, message.Submission)));

    private async Task ConnectAsync(Receiver receiver, uint credit)
    {
        var connecting = _core.ConnectAsync(receiver.Device);
        if (!connecting.IsCompleted)
        {
            // It is opened in the store first.
            Release();
        }

        var connection = await connecting;
        receiver.Enter(connection, credit);
        await _core.Deliveries.GrantAsync(connection, credit);
    }

    private void Release()
    {
        _isHeld = false;
        _store.Release();
    }

    private async Task SettleAsync()
    {
        if (_isHeld)
        {
            Release();
        }

        await _core.SettleAsync();
        Array.ForEach(_receivers, static receiver => receiver.Settle());
    }

    private async Task CrashAsync()
    {
        Harvest();
        _store.Lose();
        _killed.Add(_core);
        Array.ForEach(_receivers, static receiver => receiver.LoseServer());
        await StartServerAsync(_core.Time.GetUtcNow());
    }

    private async Task RestartAsync()
    {
        Release();
        foreach (var receiver in _receivers)
        {
            receiver.Leave();
            receiver.Ended.ForEach(_core.Disconnect);
        }

        await _core.StopAsync();
        Harvest();
        Array.ForEach(_receivers, static receiver => receiver.LoseServer());
        Assert.All(_senders, static sender => Assert.All(sender.Messages, static message => Assert.NotNull(message.AcceptedAt)));
        _killed.Add(_core);
        await StartServerAsync(_core.Time.GetUtcNow());
    }

    // Takes the answers that have come.
    private void Harvest()
    {
        foreach (var sender in _senders)
        {
            foreach (var (message, send) in sender.Sends.Where(static sent => sent.Send.IsAnswered))
            {
                var result = send.AnswerAsync(CancellationToken.None).GetAwaiter().GetResult();
                Assert.Equal(SendStatus.Accepted, result.Status);
                Assert.Equal(1, send.Answers);
                message.AcceptedAt ??= result.AcceptedAt;
            }

            sender.Sends.RemoveAll(static sent => sent.Send.IsAnswered && sent.Message.AcceptedAt is not null);
        }

        Array.ForEach(_receivers, static receiver => receiver.Harvest());
    }

    private string Describe() => string.Join("; ", _senders.Select(sender =>
        $"{sender.Device.Name}: {sender.Messages.Count(static message => message.AcceptedAt is not null)} of {sender.Messages.Count} accepted, "
        + string.Join(" and ", _receivers.Select(receiver => receiver.Seen(sender).Count)) + " seen"));

    private sealed class Message(Submission submission)
    {
        public Submission Submission => submission;

        public DateTimeOffset? AcceptedAt { get; set; }
    }

    private sealed class Sender(string name)
    {
        public TestDevice Device { get; } = TestDevice.Of(name);

        public List<Message> Messages { get; } = [];

        /// <summary>What was given to the server since it started and has no answer yet.</summary>
        public List<(Message Message, TestSend Send)> Sends { get; } = [];

        public TestConnection Connection { get; set; } = null!;
    }

    private sealed class Receiver(TestDevice device)
    {
        private readonly Dictionary<DeviceAddress, List<MessageId>> _seen = [];
        private readonly Dictionary<long, MessageId> _numbers = [];
        private readonly List<long> _stored = [];
        private readonly List<long> _acknowledged = [];
        private readonly HashSet<long> _gone = [];
        private readonly List<(Task<Committed<Deleted>> Completion, long[] Numbers)> _deletions = [];
        private readonly List<long[]> _answered = [];
        private HashSet<long> _goneBefore = [];
        private int _read;

        public TestDevice Device => device;

        public TestConnection? Connection { get; private set; }

        /// <summary>Connections that have ended, as the server has yet to notice.</summary>
        public List<TestConnection> Ended { get; } = [];

        public uint Granted { get; set; }

        public bool HasUnread => Connection is { } connection && connection.Pushed.Count > _read;

        public List<MessageId> Seen(Sender sender) =>
            _seen.TryGetValue(sender.Device.Address, out var seen) ? seen : _seen[sender.Device.Address] = [];

        public void Enter(TestConnection connection, uint credit)
        {
            Leave();
            Connection = connection;
            Granted = credit;
            _read = 0;
            _goneBefore = [.. _gone];
        }

        public void Leave()
        {
            if (Connection is { } connection)
            {
                Ended.Add(connection);
                Connection = null;
            }
        }

        public void LoseServer()
        {
            Connection = null;
            Ended.Clear();
            _deletions.Clear();
            _answered.Clear();
        }

        public void Read(int count)
        {
            if (Connection is not { } connection)
            {
                return;
            }

            var pushed = connection.Pushed;
            Assert.InRange(pushed.Count, 0, (int)Granted);
            for (; count > 0 && _read < pushed.Count; count--, _read++)
            {
                var envelope = pushed[_read];
                Assert.True(_read == 0 || pushed[_read - 1].Sequence < envelope.Sequence, "The numbers do not increase.");
                Assert.True(envelope.Message == _numbers.GetValueOrDefault(envelope.Sequence, envelope.Message), "A number was used twice.");
                Assert.False(_goneBefore.Contains(envelope.Sequence), "What was acknowledged for good came again.");
                _numbers[envelope.Sequence] = envelope.Message;
                if (!_seen.TryGetValue(envelope.Sender, out var seen))
                {
                    seen = _seen[envelope.Sender] = [];
                }

                if (!seen.Contains(envelope.Message))
                {
                    seen.Add(envelope.Message);
                }

                _stored.Add(envelope.Sequence);
            }
        }

        public void Acknowledge(TestCore core, Func<int, bool> isChosen)
        {
            if (Connection is not null)
            {
                var chosen = _stored.Where((_, index) => isChosen(index)).ToArray();
                _stored.RemoveAll(chosen.Contains);
                _acknowledged.AddRange(chosen);
                Acknowledge(core, chosen);
            }
        }

        public void AcknowledgeAgain(TestCore core)
        {
            if (Connection is not null)
            {
                Acknowledge(core, [.. _acknowledged]);
            }
        }

        public void Harvest()
        {
            foreach (var (completion, numbers) in _deletions.Where(static deletion => deletion.Completion.IsCompleted))
            {
                Assert.True(completion.Result.IsDone);
                _gone.UnionWith(numbers);
            }

            _deletions.RemoveAll(static deletion => deletion.Completion.IsCompleted);
        }

        /// <summary>All that was under way is written: what was acknowledged inside a transaction is deleted now too.</summary>
        public void Settle()
        {
            _answered.ForEach(_gone.UnionWith);
            _answered.Clear();
        }

        private void Acknowledge(TestCore core, long[] numbers)
        {
            if (Connection!.Mailbox.Acknowledge(Ranges(numbers)) is { } delete)
            {
                _deletions.Add((core.Queue.CommitAsync(delete), numbers));
            }
            else
            {
                _answered.Add(numbers);
            }
        }

        // Neighbours in one range, as a client would say it.
        private static MailboxRange[] Ranges(long[] numbers)
        {
            var ranges = new List<MailboxRange>();
            foreach (var number in numbers.Order().Distinct())
            {
                if (ranges.Count > 0 && ranges[^1].Last == number - 1)
                {
                    ranges[^1] = ranges[^1] with { Last = number };
                }
                else
                {
                    ranges.Add(new MailboxRange(number, number));
                }
            }

            return [.. ranges];
        }
    }
}
