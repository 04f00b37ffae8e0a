using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Client.Tests.Schedules;

/// <summary>
/// A message server without sockets and disks, with the rules of the real one (docs/protocol.md, section 10). It checks what no client may
/// ever do: publish a one-time prekey a second time, or send the same envelope twice.
/// </summary>
internal sealed class SimulatedServer
{
    private const int LowStock = 20;

    private readonly List<SimulatedMailbox> _mailboxes = [];
    private readonly Dictionary<(DeviceId Sender, MessageId Message), (byte[] Request, MessageAccepted Answer)> _taken = [];
    private readonly HashSet<string> _envelopes = [];
    private readonly SimulatedClock _clock;
    private ulong _sequence;

    public SimulatedServer(ServerId id, SimulatedClock clock) => (Id, _clock) = (id, clock);

    private SimulatedServer(SimulatedServer other, SimulatedClock clock)
        : this(other.Id, clock) => _mailboxes = [.. other._mailboxes.Select(static mailbox => mailbox.Copy())];

    public ServerId Id { get; }

    /// <summary>Everything that was taken, in order.</summary>
    public List<AcceptedEnvelope> Log { get; } = [];

    /// <summary>How often prekeys of a device were fetched by another.</summary>
    public Dictionary<(DeviceId Asking, DeviceId Asked), int> Fetches { get; } = [];

    /// <summary>A server with the same mailboxes and prekeys. It must not have taken any message yet.</summary>
    public SimulatedServer Copy(SimulatedClock clock) => new(this, clock);

    public SimulatedMailbox MailboxOf(DeviceId device) => _mailboxes.Single(mailbox => mailbox.Device == device);

    public bool HasMailbox(DeviceId device) => _mailboxes.Exists(mailbox => mailbox.Device == device);

    public void Remove(DeviceId device) => _mailboxes.RemoveAll(mailbox => mailbox.Device == device);

    /// <summary>Puts something into a mailbox that nobody sent.</summary>
    public void Inject(DeviceId device, Deliver delivery) => MailboxOf(device).Waiting.Add(delivery with { Sequence = ++_sequence });

    public IWireMessage Answer(ClientId client, string name, DeviceId device, IWireMessage request)
    {
        var own = _mailboxes.Find(mailbox => mailbox.Device == device);
        if (own is null)
        {
            own = new SimulatedMailbox(client, device);
            _mailboxes.Add(own);
        }

        return request switch
        {
            PrekeyStatusRequest => own.Stock(),
            UploadPrekeysRequest upload => own.Upload(upload),
            FetchPrekeysRequest fetch => Fetch(device, fetch),
            SendMessageRequest send => Take(client, name, device, send),
            _ => throw new InvalidOperationException($"Nobody asks a message server for {request.GetType().Name}."),
        };
    }

    private IWireMessage Fetch(DeviceId asking, FetchPrekeysRequest request)
    {
        var mailboxes = _mailboxes.FindAll(mailbox => mailbox.Client == request.Client);
        if (mailboxes.Count == 0)
        {
            return new ErrorReply(ProtocolError.UnknownClient, 0);
        }

        var bundles = new List<DevicePrekeyBundle>();
        foreach (var mailbox in mailboxes.Where(mailbox => mailbox.Bundle.Length > 0 && request.Devices.Contains(mailbox.Device)))
        {
            Fetches[(asking, mailbox.Device)] = Fetches.GetValueOrDefault((asking, mailbox.Device)) + 1;
            bundles.Add(new DevicePrekeyBundle(mailbox.Device, mailbox.Bundle, mailbox.GiveOut()));
            mailbox.IsLow |= mailbox.Count(OneTimePrekeyKind.X25519) < LowStock || mailbox.Count(OneTimePrekeyKind.MlKem768) < LowStock;
        }

        return new PrekeysReply(bundles);
    }

    private IWireMessage Take(ClientId client, string name, DeviceId device, SendMessageRequest request)
    {
        var bytes = WireWriter.ToArray(request with { LeftOut = [] });
        if (_taken.TryGetValue((device, request.Message), out var known))
        {
            return known.Request.AsSpan().SequenceEqual(bytes) ? known.Answer : new ErrorReply(ProtocolError.MessageIdReused, 0);
        }

        var mailboxes = _mailboxes.FindAll(mailbox => mailbox.Client == request.Recipient);
        if (mailboxes.Count == 0)
        {
            return new ErrorReply(ProtocolError.UnknownClient, 0);
        }

        Assert.NotEmpty(request.Envelopes);
        Assert.Equal(
            request.Envelopes.Count + request.LeftOut.Count,
            request.Envelopes.Select(static envelope => envelope.Device).Concat(request.LeftOut).Distinct().Count());
        var unknown = request.Envelopes
            .Select(static envelope => envelope.Device)
            .Where(target => mailboxes.TrueForAll(mailbox => mailbox.Device != target))
            .ToList();
        var missing = mailboxes
            .Select(static mailbox => mailbox.Device)
            .Where(target => target != device && !request.LeftOut.Contains(target) && request.Envelopes.All(envelope => envelope.Device != target))
            .ToList();
        if (unknown.Count > 0 || missing.Count > 0)
        {
            return new DevicesMismatched(unknown, missing);
        }

        var now = _clock.GetUtcNow();
        foreach (var (target, envelope) in request.Envelopes)
        {
            Assert.True(_envelopes.Add($"{device} {target} {Convert.ToHexString(envelope)}"), "The same envelope was sent twice.");
            MailboxOf(target).Waiting.Add(new Deliver(++_sequence, request.Message, client, device, name, now, envelope));
            Log.Add(new AcceptedEnvelope(request.Message, client, device, request.Recipient, target));
        }

        var answer = new MessageAccepted(now);
        _taken[(device, request.Message)] = (bytes, answer);
        return answer;
    }
}

/// <summary>An envelope that the server took.</summary>
internal sealed record AcceptedEnvelope(MessageId Message, ClientId Sender, DeviceId SenderDevice, ClientId Recipient, DeviceId Device);
