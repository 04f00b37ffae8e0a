using System.Buffers;
using System.IO.Pipelines;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Transport;

/// <summary>
/// Takes whole frames out of a pipe without copying them. The header is judged before the payload is awaited, an end of
/// stream inside a frame is an error, and a frame has one deadline from its first byte: re-arming it with every read
/// would let a peer drip bytes for ever.
/// </summary>
internal sealed class FrameReader : IDisposable
{
    private readonly PipeReader _reader;
    private readonly TimeSpan _deadline;
    private readonly ITimer _timer;
    private bool _armed;
    private volatile bool _expired;
    private SequencePosition? _consumed;

    public FrameReader(PipeReader reader, TimeSpan frameDeadline, TimeProvider time)
    {
        _reader = reader;
        _deadline = frameDeadline;
        _timer = time.CreateTimer(static state => ((FrameReader)state!).Expire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The header of the frame that <see cref="ReadAsync"/> found.</summary>
    public FrameHeader Header { get; private set; }

    /// <summary>The whole frame, its 27 bytes and the payload; valid until the next read.</summary>
    public ReadOnlySequence<byte> Frame { get; private set; }

    /// <summary>The payload of that frame; valid until the next read.</summary>
    public ReadOnlySequence<byte> Payload => Frame.Slice(FrameHeader.Size);

    /// <summary>Waits for the next frame. False at a clean end of the stream.</summary>
    /// <exception cref="ProtocolException">The frame is refused, late, or cut short.</exception>
    public async ValueTask<bool> ReadAsync(int payloadLimit, CancellationToken cancellationToken)
    {
        Release();
        while (true)
        {
            var result = await _reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            var buffer = result.Buffer;
            if (FrameHeader.TryRead(buffer, payloadLimit, out var header) && buffer.Length >= FrameHeader.Size + header.PayloadSize)
            {
                Disarm();
                Header = header;
                Frame = buffer.Slice(0, FrameHeader.Size + header.PayloadSize);
                _consumed = Frame.End;
                return true;
            }

            // A timer that fires just as its frame is complete must not end the wait for the next one.
            if (_armed && _expired)
            {
                throw new ProtocolException(ProtocolError.TimedOut, "A frame was not complete before its deadline.");
            }

            if (result.IsCompleted)
            {
                return buffer.IsEmpty
                    ? false
                    : throw new ProtocolException(ProtocolError.Malformed, "The stream ended inside a frame.");
            }

            if (!buffer.IsEmpty)
            {
                Arm();
            }

            _reader.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Release()
    {
        if (_consumed is { } position)
        {
            _consumed = null;
            _reader.AdvanceTo(position);
        }
    }

    private void Arm()
    {
        if (!_armed)
        {
            _armed = true;
            _expired = false;
            _timer.Change(_deadline, Timeout.InfiniteTimeSpan);
        }
    }

    private void Disarm()
    {
        if (_armed)
        {
            _armed = false;
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        _expired = false;
    }

    private void Expire()
    {
        _expired = true;
        _reader.CancelPendingRead();
    }
}
