using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.MessageServer.Tests.Domain;

public sealed class PushGraceTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly PushGrace _grace;
    private readonly Mailbox _mailbox;
    private readonly CommitQueue _queue;

    public PushGraceTests()
    {
        // The queue is never started: what is given to it stays queued.
        _grace = new PushGrace(Options.Create(new MailboxOptions { PushGraceMilliseconds = 20 }), _time);
        _queue = new CommitQueue(new MemoryMailboxStore(new MemoryMailboxStore.Disk()), _time, NullLogger<CommitQueue>.Instance);
        _mailbox = new Mailbox(new MailboxState(1, TestDevice.Of("bob").Address, 0, 0, 0), _queue, _grace, new InProcessWakeBus());
        _mailbox.EndReservation(1000, isCommitted: true);
        var core = new DeliveryService(
            new MemoryMailboxStore(new MemoryMailboxStore.Disk()), null!, new InProcessPresence(), new InProcessWakeBus(), _time, NullLogger<DeviceConnection>.Instance);
        var connection = new TestConnection(_mailbox, core);
        _mailbox.Attach(connection);
        _mailbox.Grant(connection, 1000);
    }

    public void Dispose() => _grace.Dispose();

    [Fact]
    public void Each_envelope_has_its_own_moment()
    {
        var first = Append();
        _time.Advance(TimeSpan.FromMilliseconds(15));
        var second = Append();
        _time.Advance(TimeSpan.FromMilliseconds(4));
        Assert.Equal((EnvelopeState.Pushed, EnvelopeState.Pushed), (first.State, second.State));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal((EnvelopeState.Queued, EnvelopeState.Pushed), (first.State, second.State));
        _time.Advance(TimeSpan.FromMilliseconds(14));
        Assert.Equal(EnvelopeState.Pushed, second.State);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(EnvelopeState.Queued, second.State);
    }

    [Fact]
    public void It_goes_on_after_everything_was_acknowledged_and_after_a_pause()
    {
        for (var i = 0; i < 3; i++)
        {
            var acknowledged = Append();
            _mailbox.Acknowledge([new MailboxRange(acknowledged.Sequence, acknowledged.Sequence)]);
            _time.Advance(TimeSpan.FromMilliseconds(7));
            var late = Append();
            _time.Advance(TimeSpan.FromMilliseconds(20));
            Assert.Equal((EnvelopeState.Settled, EnvelopeState.Queued), (acknowledged.State, late.State));
            _time.Advance(TimeSpan.FromSeconds(i));
        }
    }

    [Fact]
    public async Task Envelopes_that_come_while_others_are_stored_are_not_forgotten()
    {
        var envelopes = new List<MailboxEnvelope>();
        var coming = Task.Run(
            () =>
            {
                for (var i = 0; i < 900; i++)
                {
                    envelopes.Add(Append());
                }
            },
            TestContext.Current.CancellationToken);
        while (!coming.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }

        await coming;
        _time.Advance(TimeSpan.FromMilliseconds(21));
        _time.Advance(TimeSpan.FromMilliseconds(21));
        Assert.All(envelopes, static envelope => Assert.Equal(EnvelopeState.Queued, envelope.State));
    }

    private MailboxEnvelope Append()
    {
        var submission = TestSend.Of(TestDevice.Of("alice"), [TestDevice.Of("bob")]);
        var send = new TestSend(submission, _time.GetUtcNow());
        var history = new SenderHistory(2, 0, []);
        history.Start(send, out _);
        send.Begin(history, static (_, _) => { });
        _mailbox.TakeRoom(10, new MailboxOptions());
        var envelope = new MailboxEnvelope(_mailbox, send, new byte[10], _time.GetUtcNow().AddDays(1));
        _mailbox.Append(envelope);
        return envelope;
    }
}
