using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Persistence.Sqlite;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.MessageServer.Tests.Domain;

public sealed class AcknowledgementInCommitTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly TestDevice _bob = TestDevice.Of("bob");
    private readonly PushGrace _grace = new(Options.Create(new MailboxOptions()), TimeProvider.System);
    private readonly SqliteMailboxStore _store;
    private readonly CommitQueue _queue;
    private readonly Mailbox _mailbox;

    public AcknowledgementInCommitTests()
    {
        _store = new SqliteMailboxStore(new SqliteDatabase(_folder.File("message.db")));

        // Never started: the test is the writer.
        _queue = new CommitQueue(_store, TimeProvider.System, NullLogger<CommitQueue>.Instance);
        _mailbox = new Mailbox(new MailboxState(1, _bob.Address, 0, 0, 0), _queue, _grace, new InProcessWakeBus());
    }

    public void Dispose()
    {
        _grace.Dispose();
        _store.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_is_acknowledged_while_it_is_written_is_deleted_before_its_device_is_answered(bool isCommitted)
    {
        var (send, envelope) = Append();
        var batch = new CommitBatch();
        Assert.True(envelope.Prepare(batch));

        // The deletion is a later write of the same queue, and the answer waits for it.
        var delete = _mailbox.Acknowledge([new MailboxRange(1, 1)]);
        Assert.NotNull(delete);
        Assert.Equal(SendStatus.Accepted, send.Result?.Status);

        envelope.Complete(isCommitted);
        delete.Result = isCommitted ? new Deleted(1, envelope.Length) : default;
        delete.Complete(isCommitted: true);
        Assert.True(_mailbox.TryRetire());
    }

    [Fact]
    public void What_is_acknowledged_before_it_is_written_is_never_written()
    {
        var (send, envelope) = Append();
        Assert.Null(_mailbox.Acknowledge([new MailboxRange(1, 1)]));
        Assert.Equal(SendStatus.Accepted, send.Result?.Status);
        Assert.False(envelope.Prepare(new CommitBatch()));
        Assert.True(_mailbox.TryRetire());
    }

    private (Send Send, MailboxEnvelope Envelope) Append()
    {
        var body = TestEnvelope.Make();
        var send = new Send(new Submission(
            TestDevice.Of("alice").Address, "alice", MessageId.New(), _bob.Client, 0, false, [new SubmittedEnvelope(_bob.Device, body)], []));
        send.Begin(new SenderHistory(2, 0, []), static (_, _) => { });
        var envelope = new MailboxEnvelope(_mailbox, send, body, DateTimeOffset.MaxValue);
        Assert.Equal(RoomResult.Taken, _mailbox.TakeRoom(body.Length, new MailboxOptions()));
        _mailbox.Append(envelope);
        return (send, envelope);
    }

    private sealed class Send(Submission submission) : PendingSend(submission, DateTimeOffset.UnixEpoch)
    {
        public SendResult? Result { get; private set; }

        public override void Answer(SendResult result) => Result = result;
    }
}
