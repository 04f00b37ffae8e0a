using KerberosMessaging.Client.Store;
using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Client.Tests.Schedules;

/// <summary>People, their devices and a network that does what networks do, played step by step and checked all the time.</summary>
internal sealed class World : IDisposable
{
    // Ids and contents are kept for 35 days; the last of them are left for the end.
    private static readonly TimeSpan TimeLimit = TimeSpan.FromDays(30);

    private static readonly TimeSpan[] Waits =
    [
        TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(11), TimeSpan.FromMinutes(61), TimeSpan.FromHours(7), TimeSpan.FromDays(1),
        TimeSpan.FromDays(3), TimeSpan.FromDays(8),
    ];

    private readonly Neighbourhood _all;
    private readonly List<Party> _parties;
    private readonly Dictionary<MessageId, SentText> _texts = [];

    // What was lost, by device that it was for, and devices between which something was.
    private readonly HashSet<(DeviceId Device, MessageId Message)> _lost = [];
    private readonly HashSet<(DeviceId From, DeviceId To)> _lossy = [];
    private readonly List<(DeviceId Device, Deliver Delivery)> _seen = [];
    private readonly Dictionary<(DeviceId Asking, DeviceId Asked), DateTimeOffset> _askedAt = [];
    private readonly List<string> _removed = [];
    private int _sent;
    private int _checkedEnvelopes;

    public World(int people)
    {
        _all = new Neighbourhood(people);
        _parties = [.. _all.Devices.Select(static device => new Party(device, isLinked: true))];
    }

    public void Play(IEnumerable<Step> steps)
    {
        foreach (var step in steps)
        {
            Play(step);
            CheckServer();
        }

        foreach (var party in _parties)
        {
            party.Device.Connection.Break(null);
        }

        Assert.True(_all.Settle(), "The devices never fall quiet.");
        CheckServer();
        foreach (var party in _parties)
        {
            CheckEnd(party);
        }
    }

    public void Dispose() => _all.Dispose();

    private void Play(Step step)
    {
        var people = _parties.Select(static party => party.Device.Client).Distinct().ToList();
        var person = people[step.Who % people.Count];
        var own = _parties.FindAll(party => party.Device.Client == person);
        var party = own[step.Pick % own.Count];
        party.Device.Connection.Break(step.Fault);
        try
        {
            Play(step, party, own, people);
        }
        catch (PowerCutException)
        {
            party.Device.Restart();
        }
        catch (MessagingException e) when (
            e.Failure == MessagingFailure.RecipientNotReady || (e.Failure == MessagingFailure.Unreachable && step.Fault is not null))
        {
            // Not now.
        }

        party.Device.Connection.Break(null);
        FindTexts(party);
        CheckHistory(party, newest: 5);
    }

    private void Play(Step step, Party party, List<Party> own, List<ClientId> people)
    {
        var device = party.Device;
        var pick = step.Pick / own.Count;
        switch (step.What)
        {
            case Happening.Send:
                Send(party, people.Where(other => other != device.Client).ElementAt(pick % (people.Count - 1)));
                break;
            case Happening.TakeAll:
                Connect(party);
                while (device.Mailbox.Waiting.Count > 0)
                {
                    Take(party, 0);
                }

                device.FollowUp();
                break;
            case Happening.TakeOldest:
                Connect(party);
                Take(party, 0);
                break;
            case Happening.TakeAny:
                Connect(party);
                Take(party, pick);
                break;
            case Happening.TakeAndCrash:
                Connect(party);
                Take(party, pick, acknowledge: false);
                device.Restart();
                break;
            case Happening.Lose when Waiting(device) is { Count: > 0 } waiting:
                var lost = waiting[pick % waiting.Count];
                waiting.Remove(lost);
                _lost.Add((device.Id, lost.Message));
                _lossy.Add((lost.SenderDevice, device.Id));
                break;
            case Happening.Replay when _seen.FindAll(seen => seen.Device == device.Id) is { Count: > 0 } seen && Waiting(device) is not null:
                _all.Server.Inject(device.Id, seen[pick % seen.Count].Delivery with { Message = MessageId.New() });
                break;
            case Happening.Damage when Waiting(device) is { Count: > 0 } waiting:
                Damage(waiting, pick);
                break;
            case Happening.FollowUp:
                Connect(party);
                device.FollowUp();
                break;
            case Happening.Pass when _all.Clock.GetUtcNow() + Waits[pick % Waits.Length] < SimulatedClock.Epoch + TimeLimit:
                _all.Clock.Advance(Waits[pick % Waits.Length]);
                break;
            case Happening.Restart:
                device.Restart();
                Connect(party);
                break;
            case Happening.Image:
                party.Image ??= _all.NewFile();
                device.CopyStore(party.Image).Dispose();
                break;
            case Happening.PutImageBack or Happening.Restore when party.Image is not null:
                party.PutBack(step.What == Happening.Restore);
                ForgetAsking(device.Id);
                Connect(party);
                break;
            case Happening.AddLinked or Happening.AddUnlinked when own.Count < 3 && own.Exists(static known => known.IsLinked):
                Add(own.First(static known => known.IsLinked), step.What == Happening.AddLinked);
                break;
            case Happening.Remove when own.Count(static known => known.IsLinked) > 1:
                _parties.Remove(party);
                _all.Remove(device);
                break;
        }
    }

    private List<Deliver> Waiting(SimulatedDevice device) => _all.Server.HasMailbox(device.Id) ? device.Mailbox.Waiting : [];

    // A client sends and receives only when it has looked after its prekeys since it was started.
    private static void Connect(Party party)
    {
        if (!party.Device.IsConnected)
        {
            party.Device.Connect();
        }
    }

    private void Send(Party party, ClientId to)
    {
        Connect(party);
        party.Device.Send(_all.Realm.NameOf(to), $"text {++_sent}");
    }

    private void Take(Party party, int pick, bool acknowledge = true)
    {
        var waiting = party.Device.Mailbox.Waiting;
        if (waiting.Count == 0)
        {
            return;
        }

        var delivery = waiting[pick % waiting.Count];
        _seen.Add((party.Device.Id, delivery));
        party.Device.Take(delivery, acknowledge);
        if (acknowledge)
        {
            party.Taken.Add(delivery.Message);
        }
    }

    private void ForgetAsking(DeviceId device)
    {
        foreach (var pair in _askedAt.Keys.Where(pair => pair.Asking == device).ToList())
        {
            _askedAt.Remove(pair);
        }
    }

    private static void Damage(List<Deliver> waiting, int pick)
    {
        var index = pick % waiting.Count;
        var envelope = waiting[index].Envelope.ToArray();
        envelope[pick * 7919 % envelope.Length] ^= 0x10;
        waiting[index] = waiting[index] with { Envelope = envelope };
    }

    private void Add(Party by, bool isLinked)
    {
        Connect(by);
        var device = _all.Enrol(by.Device.Client);
        _parties.Add(new Party(device, isLinked: false));
        device.Connect();
        if (!isLinked)
        {
            return;
        }

        var code = device.Linking.StartLinking();
        by.Device.Linking.ApproveAsync(code, CancellationToken.None).GetAwaiter().GetResult();
        device.TakeAll();
        _parties[^1].IsLinked = device.Linking.IsLinked;
        _parties[^1].SentBefore = _sent;
    }

    // The ids of texts are made where they are sent; one that was not taken yet is in the outbox.
    private void FindTexts(Party party)
    {
        if (!_parties.Contains(party))
        {
            return;
        }

        var (outbox, history) = party.Device.Store.Read(static transaction =>
            (transaction.ListOutbox(), transaction.ListMessages(null, null, 3)));
        foreach (var (message, recipient, content) in outbox
            .Where(static entry => entry.Only is null)
            .Select(static entry => (entry.Message, entry.Recipient, MessageContent.TryRead(entry.Content)))
            .Concat(history.Where(static message => message.IsOutgoing).Select(static message => (message.Message, message.Peer, message.Content))))
        {
            if (content?.Text is { } text && !_texts.ContainsKey(message))
            {
                Assert.Equal($"text {_sent}", text);
                _texts.Add(message, new SentText(text, _sent, party.Device.Client, party, recipient, party.IsLinked));
            }
        }
    }

    private void CheckServer()
    {
        foreach (var envelope in _all.Server.Log.Skip(_checkedEnvelopes))
        {
            // But for the account key, which goes to a device that is linked in the same moment.
            Assert.NotEmpty(_all.Realm.LinkOf(envelope.Recipient, envelope.Device));
        }

        _checkedEnvelopes = _all.Server.Log.Count;
    }

    private void CheckHistory(Party party, int newest = int.MaxValue)
    {
        if (!_parties.Contains(party))
        {
            return;
        }

        foreach (var (message, problem) in party.Device.History(newest))
        {
            if (problem != MessageProblem.None)
            {
                continue;
            }

            var text = Assert.Contains(message.Message, (IReadOnlyDictionary<MessageId, SentText>)_texts);
            Assert.Equal(text.Text, message.Content?.Text);
            Assert.Equal(message.IsOutgoing ? text.From : text.To, party.Device.Client);
            Assert.Equal(message.IsOutgoing ? text.To : text.From, message.Peer);
        }

        foreach (var other in _parties.Where(other => other != party))
        {
            var askedAt = party.Device.Store.Read(transaction => transaction.GetAskedAt(other.Device.Client, other.Device.Id));
            if (askedAt is not null && _askedAt.TryGetValue((party.Device.Id, other.Device.Id), out var before) && before < askedAt)
            {
                Assert.True(askedAt - before >= TimeSpan.FromHours(1), "A device was asked twice within an hour.");
            }

            if (askedAt is not null)
            {
                _askedAt[(party.Device.Id, other.Device.Id)] = askedAt.Value;
            }
        }
    }

    private void CheckEnd(Party party)
    {
        CheckHistory(party);
        var history = party.Device.History();
        var shown = history.Where(static entry => entry.Problem == MessageProblem.None).ToList();
        Assert.Equal(shown.Count, shown.DistinctBy(static entry => entry.Message.Content?.Text).Count());
        foreach (var (message, sender, _, _, _) in _all.Server.Log.Where(envelope => envelope.Device == party.Device.Id))
        {
            if (_texts.TryGetValue(message, out var text) && !_lost.Contains((party.Device.Id, message)) && !party.TakenBefore.Contains(message))
            {
                CheckReceived(party, message, text, history);
            }
        }

        CheckNothingIsLeft(party);
        foreach (var (message, problem) in history.Where(static entry => entry.Problem != MessageProblem.None && !entry.Message.IsOutgoing))
        {
            // What programs say to each other is nobody's loss, once it has been said again.
            var sender = _parties.Find(other => other.Device.Id == message.Device);
            var isOfPrograms = _all.Server.Log.Exists(envelope => envelope.Message == message.Message) && !_texts.ContainsKey(message.Message);
            Assert.False(
                isOfPrograms && problem != MessageProblem.UnlinkedDevice && party.IsLinked && sender is { IsLinked: true, WasPutBack: false } && !IsLossy(sender, party),
                $"{party} is told of a message that is not for people.");
        }

        foreach (var (message, text) in _texts)
        {
            CheckCopy(party, message, text, history);
        }
    }

    private bool IsLossy(Party one, Party other) =>
        _lossy.Contains((one.Device.Id, other.Device.Id)) || _lossy.Contains((other.Device.Id, one.Device.Id));

    private void CheckNothingIsLeft(Party party) => party.Device.Store.Read(transaction =>
    {
        Assert.Empty(transaction.ListOutbox());
        Assert.Empty(transaction.ListResends());
        Assert.DoesNotContain(transaction.ListAnswersDue(), waiting =>
        {
            using var sessions = transaction.GetSessions(waiting.Client, waiting.Device);
            return sessions.WantsAnswer(_all.Clock.GetUtcNow());
        });
        return true;
    });

    private void CheckReceived(Party party, MessageId message, SentText text, List<(StoredMessage Message, MessageProblem Problem)> history)
    {
        var entry = Assert.Single(history, entry => entry.Message.Message == message && !entry.Message.IsOutgoing);
        var mustBeRead = text.WasLinked
            && _parties.Contains(text.Sender)
            && !text.Sender.WasPutBack
            && !IsLossy(text.Sender, party);
        if (mustBeRead)
        {
            Assert.True(entry.Problem == MessageProblem.None, $"{text.Text} was not read by {party}: {entry.Problem}.");
        }
    }

    private void CheckCopy(Party party, MessageId message, SentText text, List<(StoredMessage Message, MessageProblem Problem)> history)
    {
        if (text.From != party.Device.Client
            || text.Sender == party
            || !text.WasLinked
            || !party.IsLinked
            || party.SentBefore >= text.Number
            || party.WasPutBack
            || text.Sender.WasPutBack
            || !_parties.Contains(text.Sender)
            || IsLossy(text.Sender, party)
            || !_all.Server.Log.Exists(envelope => envelope.Message == message))
        {
            return;
        }

        Assert.True(
            history.Exists(entry => entry.Message.Message == message && entry.Message.IsOutgoing),
            $"{text.Text} is not in the history of {party}.");
    }

    /// <summary>A device in a schedule.</summary>
    private sealed class Party(SimulatedDevice device, bool isLinked)
    {
        public SimulatedDevice Device => device;

        public bool IsLinked { get; set; } = isLinked;

        /// <summary>How many texts had been sent when it was linked.</summary>
        public int SentBefore { get; set; }

        public string? Image { get; set; }

        public bool WasPutBack { get; private set; }

        /// <summary>What it acknowledged.</summary>
        public HashSet<MessageId> Taken { get; } = [];

        /// <summary>What it acknowledged in another life, and does not know of any more.</summary>
        public HashSet<MessageId> TakenBefore { get; } = [];

        public void PutBack(bool isBackup)
        {
            WasPutBack = true;
            TakenBefore.UnionWith(Taken);
            Taken.Clear();
            device.PutBack(Image!, isBackup);
        }

        public override string ToString() => $"{device.Name} on {device.Id}";
    }

    private sealed record SentText(string Text, int Number, ClientId From, Party Sender, ClientId To, bool WasLinked);
}
