using System.Numerics;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// The unsettled envelopes of a mailbox by sequence number. Numbers come without gaps and leave mostly in order, so a ring
/// with holes finds each at once.
/// </summary>
internal sealed class UnsettledEnvelopes
{
    private const int SmallestRing = 8;

    // What a sender with a full window needs; a larger one goes when it is empty.
    private const int LargestKeptRing = 64;

    private MailboxEnvelope?[] _ring = [];
    private long _first;
    private long _end;

    /// <summary>The lowest number that may be here.</summary>
    public long First => _first;

    /// <summary>One more than the highest number that was added.</summary>
    public long End => _end;

    public bool IsEmpty => _first == _end;

    /// <summary>The envelope of a number; null when it is not here.</summary>
    public MailboxEnvelope? Find(long sequence) =>
        sequence >= _first && sequence < _end ? _ring[sequence & (_ring.Length - 1)] : null;

    /// <summary>Adds the envelope with the next number.</summary>
    public void Add(MailboxEnvelope envelope)
    {
        var sequence = envelope.Sequence;
        if (IsEmpty)
        {
            _first = _end = sequence;
        }

        if (_end - _first == _ring.Length)
        {
            Grow();
        }

        _ring[sequence & (_ring.Length - 1)] = envelope;
        _end = sequence + 1;
    }

    public void Remove(MailboxEnvelope envelope)
    {
        _ring[envelope.Sequence & (_ring.Length - 1)] = null;
        while (_first < _end && _ring[_first & (_ring.Length - 1)] is null)
        {
            _first++;
        }

        if (IsEmpty && _ring.Length > LargestKeptRing)
        {
            _ring = [];
        }
    }

    private void Grow()
    {
        var ring = new MailboxEnvelope?[Math.Max(SmallestRing, (int)BitOperations.RoundUpToPowerOf2((uint)_ring.Length + 1))];
        for (var sequence = _first; sequence < _end; sequence++)
        {
            ring[sequence & (ring.Length - 1)] = _ring[sequence & (_ring.Length - 1)];
        }

        _ring = ring;
    }
}
