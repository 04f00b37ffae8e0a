using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Transport;

/// <summary>
/// Takes whole frames out of a pipe without copying them. The header is judged before the payload is awaited, an end of
/// stream inside a frame is an error, and a frame has one deadline from its first byte: re-arming it with every read
/// would let a peer drip bytes for ever. Frames that arrive together are taken out of what the pipe gave once; the pipe
/// is asked again only when no whole frame is left.
/// </summary>
internal sealed class FrameReader(PipeReader reader, TimeSpan frameDeadline, TimeProvider time) : IDisposable
{
    // Made when a frame first comes in pieces: a connection whose frames come whole needs none.
    private ITimer? _timer;
    private bool _armed;
    private volatile bool _expired;

    // What the pipe gave and no frame has taken; the pipe's until it is told how far we are.
    private ReadOnlySequence<byte> _rest;
    private bool _isGiven;
    private bool _isLast;

    /// <summary>The header of the frame that was read last.</summary>
    public FrameHeader Header { get; private set; }

    /// <summary>The whole frame, its 27 bytes and the payload; valid until the next read.</summary>
    public ReadOnlySequence<byte> Frame { get; private set; }

    /// <summary>The payload of that frame; valid until the next read.</summary>
    public ReadOnlySequence<byte> Payload => Frame.Slice(FrameHeader.Size);

    /// <summary>Whether another frame is here as a whole, though its header may yet be refused.</summary>
    public bool HasWholeFrame
    {
        get
        {
            if (_rest.Length < FrameHeader.Size)
            {
                return false;
            }

            Span<byte> size = stackalloc byte[FrameHeader.Size - FrameHeader.HeaderSize];
            _rest.Slice(FrameHeader.HeaderSize, size.Length).CopyTo(size);
            return _rest.Length - FrameHeader.Size >= BinaryPrimitives.ReadUInt32BigEndian(size);
        }
    }

    /// <summary>Takes the next frame if it is here as a whole.</summary>
    /// <exception cref="ProtocolException">Its header is refused.</exception>
    public bool TryRead(int payloadLimit)
    {
        if (!FrameHeader.TryRead(_rest, payloadLimit, out var header) || _rest.Length < FrameHeader.Size + header.PayloadSize)
        {
            return false;
        }

        Disarm();
        Header = header;
        Frame = _rest.Slice(0, FrameHeader.Size + header.PayloadSize);
        _rest = _rest.Slice(Frame.End);
        return true;
    }

    /// <summary>Waits for the next frame. False at a clean end of the stream.</summary>
    /// <exception cref="ProtocolException">The frame is refused, late, or cut short.</exception>
    public async ValueTask<bool> ReadAsync(int payloadLimit, CancellationToken cancellationToken)
    {
        while (!TryRead(payloadLimit))
        {
            if (_isGiven)
            {
                // A timer that fires just as its frame is complete must not end the wait for the next one.
                if (_armed && _expired)
                {
                    throw new ProtocolException(ProtocolError.TimedOut, "A frame was not complete before its deadline.");
                }

                if (_isLast)
                {
                    return _rest.IsEmpty
                        ? false
                        : throw new ProtocolException(ProtocolError.Malformed, "The stream ended inside a frame.");
                }

                GiveBack();
            }

            var result = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            _rest = result.Buffer;
            _isGiven = true;
            _isLast = result.IsCompleted;
        }

        return true;
    }

    public void Dispose() => _timer?.Dispose();

    private void GiveBack()
    {
        if (!_rest.IsEmpty)
        {
            Arm();
        }

        reader.AdvanceTo(_rest.Start, _rest.End);
        _rest = default;
        Frame = default;
        _isGiven = false;
    }

    private void Arm()
    {
        if (!_armed)
        {
            _armed = true;
            _expired = false;
            _timer ??= time.CreateTimer(
                static state => ((FrameReader)state!).Expire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _timer.Change(frameDeadline, Timeout.InfiniteTimeSpan);
        }
    }

    private void Disarm()
    {
        if (_armed)
        {
            _armed = false;
            _timer!.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        _expired = false;
    }

    private void Expire()
    {
        _expired = true;
        reader.CancelPendingRead();
    }
}
