using System.Buffers.Binary;
using System.Diagnostics;
using KerberosMessaging.Benchmarks.Servers;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;

namespace KerberosMessaging.Benchmarks.Relay;

/// <summary>
/// Takes the messages of one sender. One acknowledgement is under way at a time and covers all that came since the one before:
/// few under load, and without a wait for a message that comes alone.
/// </summary>
internal sealed class Recipient(BenchmarkAccount account, int sender, RelayRun run) : IAsyncDisposable
{
    // The most that the server lets be outstanding, granted again by halves.
    private const uint Credit = 1000;
    private const uint CreditStep = Credit / 2;

    private RequestConnection? _connection;
    private uint _sinceGrant;
    private ulong _received;
    private ulong _acknowledged;
    private int _isAcknowledging;
    private int _grants;

    /// <summary>Whose mailbox it is.</summary>
    public BenchmarkAccount Account => account;

    /// <summary>What came.</summary>
    public DeliveryTally Tally { get; } = new();

    /// <summary>From when a message was due to its arrival, for measured ones.</summary>
    public LatencyHistogram Latency { get; } = new();

    /// <summary>Whether all that came is acknowledged, and no request waits for its reply.</summary>
    public bool IsQuiet => Volatile.Read(ref _isAcknowledging) == 0 && Volatile.Read(ref _grants) == 0;

    /// <summary>Connects and presents a ticket. Nothing comes before <see cref="Receive"/>.</summary>
    public async Task ConnectAsync(ServerRealm realm, HeldTicket ticket, CancellationToken cancellationToken)
    {
        _connection = await realm.ConnectToMessageAsync(cancellationToken, OnPush);
        await ticket.PresentAsync(_connection, cancellationToken);
    }

    /// <summary>Grants the first credit of a connection.</summary>
    public void Receive()
    {
        _sinceGrant = 0;
        _ = GrantAsync(Credit);
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is not null)
        {
            await _connection.DisposeAsync();
        }
    }

    private ValueTask OnPush(MessageCode code, ReadOnlyMemory<byte> payload)
    {
        if (code != MessageCode.Deliver)
        {
            run.Fail(new InvalidOperationException($"A recipient was pushed {code}."));
            return ValueTask.CompletedTask;
        }

        // Not read as a record, which would copy it all: the number in the mailbox comes first, and the envelope last.
        var stamp = Stamp.Read(payload.Span[^Stamp.EnvelopeSize..]);
        if (stamp.Sender != sender)
        {
            run.Fail(new InvalidOperationException("A message came to the wrong recipient."));
        }

        Tally.Add(stamp.Number);
        if (run.Measures(stamp.At))
        {
            Latency.Add(Stopwatch.GetTimestamp() - stamp.At);
        }

        Volatile.Write(ref _received, BinaryPrimitives.ReadUInt64BigEndian(payload.Span));
        if (Interlocked.CompareExchange(ref _isAcknowledging, 1, 0) == 0)
        {
            _ = AcknowledgeAsync();
        }

        if (++_sinceGrant == CreditStep)
        {
            _sinceGrant = 0;
            _ = GrantAsync(CreditStep);
        }

        return ValueTask.CompletedTask;
    }

    private async Task AcknowledgeAsync()
    {
        try
        {
            do
            {
                while (Volatile.Read(ref _received) is var last && last > _acknowledged)
                {
                    await _connection!.RequestAsync<Done>(
                        new AcknowledgeRequest([new SequenceRange(_acknowledged + 1, last)], 0), CancellationToken.None);
                    _acknowledged = last;
                }

                Volatile.Write(ref _isAcknowledging, 0);

                // One that came just before that has seen an acknowledgement under way, and started none.
            }
            while (Volatile.Read(ref _received) > _acknowledged && Interlocked.CompareExchange(ref _isAcknowledging, 1, 0) == 0);
        }
        catch (Exception e)
        {
            run.Fail(e);
        }
    }

    private async Task GrantAsync(uint messages)
    {
        Interlocked.Increment(ref _grants);
        try
        {
            await _connection!.RequestAsync<CreditGranted>(new GrantCreditRequest(messages), CancellationToken.None);
            Interlocked.Decrement(ref _grants);
        }
        catch (Exception e)
        {
            run.Fail(e);
        }
    }
}
