using System.Collections.Concurrent;
using System.Threading.Channels;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;

namespace KerberosMessaging.MessageServer.Tests.Faults;

/// <summary>How a recipient behaves.</summary>
internal enum Manner
{
    /// <summary>Acknowledges all that came, at once.</summary>
    Prompt,

    /// <summary>Acknowledges late, in ranges with holes; what is in the holes comes again.</summary>
    Late,

    /// <summary>Takes a few at a time.</summary>
    Sparing,

    /// <summary>Is seldom there.</summary>
    Absent,
}

/// <summary>
/// Takes messages over as many lives of the server as it takes, remembers their ids as the SDK does, and holds each delivery
/// against what the server promises:
/// <list type="bullet">
/// <item>what is new comes in the order of its sender, with none left out, under a number higher than all before it;</item>
/// <item>a number is never that of two messages;</item>
/// <item>a message comes again under its own number only while the server has not answered its acknowledgement;</item>
/// <item>a message comes again under another number only if its sender repeated it, not knowing whether the dead server took
/// it: one that its recipient acknowledged at once was never on disk, and the next server cannot know it.</item>
/// </list>
/// </summary>
internal sealed class LoadRecipient(TestDevice device, Manner manner, ConcurrentDictionary<MessageId, LoadMessage> sent, int seed)
{
    // No more than an acknowledgement has ranges.
    private const int MostAtOnce = ProtocolLimits.RangesPerAcknowledgement;

    private static readonly TimeSpan Lateness = TimeSpan.FromMilliseconds(150);

    private readonly Random _random = new(seed);
    private readonly Dictionary<MessageId, ulong> _known = [];
    private readonly Dictionary<ulong, MessageId> _numbers = [];
    private readonly Dictionary<TestDevice, int> _last = [];
    private readonly HashSet<ulong> _settled = [];
    private ulong _highest;

    public TestDevice Device => device;

    public Manner Manner => manner;

    /// <summary>How many different messages came.</summary>
    public int Taken => _known.Count;

    /// <summary>How many came again under their number, and were dropped.</summary>
    public int Redelivered { get; private set; }

    /// <summary>How many came again under another number, and were dropped.</summary>
    public int Repeated { get; private set; }

    /// <summary>Takes messages until the server dies.</summary>
    public async Task ReceiveAsync(Func<TestDevice, Task<TestClient>> signIn)
    {
        try
        {
            await using var client = await signIn(device);
            await ReceiveAsync(client, manner == Manner.Sparing ? 7u : 500u, () => false);
        }
        catch (Exception e) when (e is ChannelException or ChannelClosedException { InnerException: ChannelException })
        {
            // The server is dead.
        }
    }

    /// <summary>Takes and acknowledges all that is left, and makes sure that nothing comes again then.</summary>
    public async Task FinishAsync(Func<TestDevice, Task<TestClient>> signIn, int expected, CancellationToken cancellationToken)
    {
        await using (var client = await signIn(device))
        {
            var newest = (await client.GrantAsync(500, cancellationToken)).NewestWaiting;
            if (newest > 0)
            {
                await ReceiveAsync(client, 0, () => _settled.Contains(newest));
            }
        }

        Assert.Equal(expected, Taken);
        await using var again = await signIn(device);
        Assert.Equal(0ul, (await again.GrantAsync(500, cancellationToken)).NewestWaiting);
        await again.FenceAsync(cancellationToken);
        Assert.Equal(0, again.Waiting);
    }

    private async Task ReceiveAsync(TestClient client, uint credit, Func<bool> isOver)
    {
        var isLast = credit == 0;
        if (!isLast)
        {
            await client.GrantAsync(credit, CancellationToken.None);
        }

        var inConnection = 0ul;
        var unacknowledged = new List<ulong>();
        while (!isOver())
        {
            var taken = 0u;
            do
            {
                var delivery = await client.NextDeliveryAsync(CancellationToken.None);
                Assert.True(delivery.Sequence > inConnection, $"{delivery.Sequence} came after {inConnection} on one connection.");
                inConnection = delivery.Sequence;
                Take(delivery);
                unacknowledged.Add(delivery.Sequence);
                taken++;
            }
            while (client.Waiting > 0 && taken < MostAtOnce);

            if (manner == Manner.Late && !isLast)
            {
                await Task.Delay(Lateness);
            }

            await AcknowledgeAsync(client, unacknowledged, taken, hasHoles: manner == Manner.Late && !isLast);
        }
    }

    private void Take(Deliver delivery)
    {
        var (number, id) = (delivery.Sequence, delivery.Message);
        var message = sent[id];
        Assert.Equal(message.Request.Envelopes[0].Envelope, delivery.Envelope.ToArray());
        Assert.False(_settled.Contains(number), $"{number} came again after its acknowledgement was answered.");
        if (_numbers.TryGetValue(number, out var other))
        {
            Assert.Equal(other, id);
            Redelivered++;
            return;
        }

        Assert.True(number > _highest, $"{number} is new and came after {_highest}.");
        _highest = number;
        _numbers[number] = id;
        if (_known.TryAdd(id, number))
        {
            Assert.Equal(_last.GetValueOrDefault(message.Sender) + 1, message.Number);
            _last[message.Sender] = message.Number;
            return;
        }

        Assert.True(message.IsRepeated, $"A message came as {_known[id]} and {number}, and was sent once.");
        Repeated++;
    }

    private async Task AcknowledgeAsync(TestClient client, List<ulong> numbers, uint credit, bool hasHoles)
    {
        var ranges = new List<SequenceRange>();
        var covered = new List<ulong>();
        var rest = new List<ulong>();
        foreach (var number in numbers)
        {
            if (ranges.Count > 0 && ranges[^1].Last + 1 == number && _random.Next(10) > 0)
            {
                ranges[^1] = ranges[^1] with { Last = number };
                covered.Add(number);
            }
            else if (ranges.Count == ProtocolLimits.RangesPerAcknowledgement || (hasHoles && _random.Next(2) == 0))
            {
                rest.Add(number);
            }
            else
            {
                ranges.Add(new SequenceRange(number, number));
                covered.Add(number);
            }
        }

        await client.Connection.RequestAsync<Done>(new AcknowledgeRequest(ranges, credit), CancellationToken.None);
        _settled.UnionWith(covered);
        numbers.Clear();
        numbers.AddRange(rest);
    }
}
