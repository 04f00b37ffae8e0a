using System.Diagnostics;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;

namespace KerberosMessaging.Benchmarks.Relay;

/// <summary>
/// Sends messages to one recipient. A message that is due leaves at once, or as soon as fewer than <see cref="Slots"/> wait for
/// their replies.
/// </summary>
internal sealed class Sender
{
    /// <summary>How many messages may wait for their replies at once.</summary>
    public const int Slots = 64;

    private readonly RequestConnection _connection;
    private readonly ClientId _recipient;
    private readonly int _index;
    private readonly RelayRun _run;
    private readonly Lock _gate = new();
    private readonly Stack<Slot> _free = new(Slots);
    private readonly Queue<long> _due = [];
    private long _dueAtOnce;
    private long _sent;
    private long _accepted;

    /// <summary>Makes a sender that sends nothing yet.</summary>
    /// <param name="connection">Its connection, which others may use too.</param>
    /// <param name="recipient">The recipient.</param>
    /// <param name="device">The recipient's one device.</param>
    /// <param name="index">Tells the recipient who sent it.</param>
    /// <param name="run">What it belongs to.</param>
    public Sender(RequestConnection connection, ClientId recipient, DeviceId device, int index, RelayRun run)
    {
        _connection = connection;
        _recipient = recipient;
        _index = index;
        _run = run;
        for (var i = 0; i < Slots; i++)
        {
            _free.Push(new Slot(this, device));
        }
    }

    /// <summary>How many messages were sent.</summary>
    public long Sent => Volatile.Read(ref _sent);

    /// <summary>How many of them the server accepted.</summary>
    public long Accepted => Volatile.Read(ref _accepted);

    /// <summary>From when a message was due to the reply that the server has it, for measured ones.</summary>
    public LatencyHistogram AcceptedLatency { get; } = new();

    /// <summary>So many messages are due as soon as they can be sent; 0 for no more. Those that wait for replies get them.</summary>
    public void SendAtOnce(long messages)
    {
        lock (_gate)
        {
            _dueAtOnce = messages;
            Pump();
        }
    }

    /// <summary>One message is due at a time: its latency counts from then, however late it leaves.</summary>
    public void SendDue(long at)
    {
        lock (_gate)
        {
            _due.Enqueue(at);
            Pump();
        }
    }

    private void Pump()
    {
        while (_free.Count > 0)
        {
            if (!_due.TryDequeue(out var at))
            {
                if (_dueAtOnce == 0)
                {
                    return;
                }

                _dueAtOnce--;
                at = Stopwatch.GetTimestamp();
            }

            Volatile.Write(ref _sent, _sent + 1);
            _free.Pop().Send(new Stamp(_index, _sent, at));
        }
    }

    private void Answered(Slot slot, long dueAt)
    {
        lock (_gate)
        {
            if (_run.Measures(dueAt))
            {
                AcceptedLatency.Add(Stopwatch.GetTimestamp() - dueAt);
            }

            Volatile.Write(ref _accepted, _accepted + 1);
            _free.Push(slot);
            Pump();
        }
    }

    /// <summary>One message at a time, with what is needed for it made once.</summary>
    private sealed class Slot(Sender sender, DeviceId device) : IReplyHandler
    {
        private readonly DeviceEnvelope[] _envelopes = [new DeviceEnvelope(device, Stamp.NewEnvelope())];
        private long _dueAt;

        public void Send(Stamp stamp)
        {
            _dueAt = stamp.At;
            stamp.Write(_envelopes[0].Envelope);

            // Random as a real one: how message ids are spread is part of what it costs to keep them.
            Span<byte> id = stackalloc byte[16];
            Random.Shared.NextBytes(id);
            var sent = sender._connection.SendAsync(
                new SendMessageRequest(
                    new MessageId(new Guid(id)), sender._recipient, TimeToLiveSeconds: 0, DeliveryKind.Durable, _envelopes, LeftOut: []),
                this,
                CancellationToken.None);
            if (!sent.IsCompletedSuccessfully)
            {
                // All that a sender may have in flight has room on its connection.
                sender._run.Fail(new InvalidOperationException("A message could not be queued."));
            }
        }

        public void OnReply(MessageCode code, ReadOnlyMemory<byte> payload)
        {
            if (code == MessageCode.MessageAccepted)
            {
                sender.Answered(this, _dueAt);
            }
            else
            {
                sender._run.Fail(new InvalidOperationException($"A message was answered with {code}."));
            }
        }

        public void OnFailed(ChannelException reason) => sender._run.Fail(reason);
    }
}
