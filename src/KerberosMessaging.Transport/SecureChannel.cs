using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Transport;

/// <summary>
/// The secure channel over a duplex pipe, after its handshake. Reading and writing are independent of each other, but
/// each must be done by one caller at a time (a read loop and a writer loop).
/// </summary>
public sealed partial class SecureChannel : IDisposable
{
    // Beyond this a bundle saves next to nothing, and both ends hold it in memory.
    private const int LargestBundle = 16 * 1024;

    private readonly PipeWriter _output;
    private readonly FrameReader _reader;
    private readonly RecordProtector _send;
    private readonly RecordProtector _receive;
    private readonly PlaintextBuffer _plaintext = new();

    // Rented, and held only between a frame and the next wait: most connections are idle most of the time.
    private byte[] _opened = [];
    private int _openedUsed;
    private byte[] _contiguous = [];

    // What is left of a bundle, in _opened.
    private ReadOnlyMemory<byte> _bundle;

    // The messages that were added and not sealed yet: how many, where the first starts, and what it is.
    private int _added;
    private int _first;
    private MessageCode _firstCode;
    private uint _firstRequestId;

    private SecureChannel(
        PipeWriter output,
        FrameReader reader,
        SecretBytes sendSecret,
        SecretBytes receiveSecret,
        HandshakeResult handshake,
        ChannelOptions options)
    {
        _output = output;
        _reader = reader;
        _send = new RecordProtector(sendSecret, options.RecordsPerKey, options.BytesPerKey);
        _receive = new RecordProtector(receiveSecret, options.RecordsPerKey, options.BytesPerKey);
        Session = handshake.Session;
        Server = handshake.Server;
        ServerTime = handshake.ServerTime;
        ServerSigningKey = handshake.ServerSigningKey;
        ChannelBinding = handshake.ChannelBinding;
        PayloadLimit = options.PayloadLimit;
    }

    /// <summary>The channel's session id, which every frame carries.</summary>
    public SessionId Session { get; }

    /// <summary>The id that the server stated in its signed hello.</summary>
    public ServerId Server { get; }

    /// <summary>The server's clock at the handshake.</summary>
    public DateTimeOffset ServerTime { get; }

    /// <summary>The server's Ed25519 public key, 32 bytes.</summary>
    public ReadOnlyMemory<byte> ServerSigningKey { get; }

    /// <summary>32 bytes that only the two ends of this channel know and that no other channel has.</summary>
    public ReadOnlyMemory<byte> ChannelBinding { get; }

    /// <summary>Largest payload accepted from the peer, in bytes; raised after authentication.</summary>
    public int PayloadLimit { get; set; }

    /// <summary>
    /// Whether the next read finds a whole frame here and need not wait for the peer. The frame may still be refused.
    /// </summary>
    public bool HasBufferedFrame => !_bundle.IsEmpty || _reader.HasWholeFrame;

    /// <summary>Waits for the next frame; null at a clean end of the stream. Does not yield where the frame is already here.</summary>
    /// <exception cref="ProtocolException">The frame or its record is refused; the connection must end.</exception>
    public async ValueTask<ReceivedFrame?> ReadAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (TryRead(out var frame))
        {
            return frame;
        }

        ReturnBuffers();
        return await _reader.ReadAsync(PayloadLimit, cancellationToken).ConfigureAwait(false) ? Open() : null;
    }

    /// <summary>Takes the next frame if it is here as a whole.</summary>
    /// <param name="frame">The frame.</param>
    /// <returns>False where <see cref="ReadAsync"/> would wait or find the end of the stream.</returns>
    /// <exception cref="ProtocolException">The frame or its record is refused; the connection must end.</exception>
    public bool TryRead(out ReceivedFrame frame)
    {
        if (!_bundle.IsEmpty)
        {
            frame = NextOfBundle();
            return true;
        }

        if (!_reader.TryRead(PayloadLimit))
        {
            frame = default;
            return false;
        }

        frame = Open();
        return true;
    }

    /// <summary>Seals a message into the outgoing pipe; <see cref="FlushAsync"/> sends it.</summary>
    /// <param name="message">The message.</param>
    /// <param name="requestId">The requester's number; 0 in pushes.</param>
    /// <returns>The length of the frame in bytes.</returns>
    public int Write(IWireMessage message, uint requestId) => Add(message, requestId) + Seal();

    /// <summary>
    /// Adds a message to those that are sealed together by <see cref="Seal()"/>. A record costs several times what its bytes cost, so
    /// messages that leave together share one; large ones have their own.
    /// </summary>
    /// <param name="message">The message.</param>
    /// <param name="requestId">The requester's number; 0 in pushes.</param>
    /// <returns>How many bytes were sealed into the outgoing pipe by this, because enough had been added.</returns>
    internal int Add(IWireMessage message, uint requestId)
    {
        try
        {
            var start = _plaintext.Written.Length;
            _plaintext.GetSpan(Bundle.HeadSize);
            _plaintext.Advance(Bundle.HeadSize);
            message.Write(new WireWriter(_plaintext));
            var end = _plaintext.Written.Length;
            Bundle.WriteHead(_plaintext.Change(start), message.FrameCode, requestId, end - start - Bundle.HeadSize);

            var written = 0;
            if (_added > 0 && end - _first > LargestBundle)
            {
                written = Seal(start);
                (_added, _first) = (0, start);
            }

            if (_added++ == 0)
            {
                (_firstCode, _firstRequestId) = (message.FrameCode, requestId);
            }

            return written;
        }
        catch
        {
            Forget();
            throw;
        }
    }

    /// <summary>Seals what was added into the outgoing pipe: one message as a frame of its own, several as a bundle.</summary>
    /// <returns>The length of the frame in bytes; 0 when nothing was added.</returns>
    internal int Seal()
    {
        try
        {
            return _added == 0 ? 0 : Seal(_plaintext.Written.Length);
        }
        finally
        {
            Forget();
        }
    }

    /// <summary>Bytes that were added and not sealed yet.</summary>
    internal int AddedBytes => _plaintext.Written.Length - _first;

    /// <summary>Sends what was written. False when the peer will read nothing more.</summary>
    public async ValueTask<bool> FlushAsync(CancellationToken cancellationToken)
    {
        var result = await _output.FlushAsync(cancellationToken).ConfigureAwait(false);
        return !result.IsCompleted;
    }

    /// <summary>Mixes a ticket's session key into the keys for what is sent from now on (AP exchange).</summary>
    /// <param name="sessionKey">The ticket's session key.</param>
    public void MixSend(ReadOnlySpan<byte> sessionKey) => _send.Mix(sessionKey);

    /// <summary>Mixes a ticket's session key into the keys for what is received from now on (AP exchange).</summary>
    /// <param name="sessionKey">The ticket's session key.</param>
    public void MixReceive(ReadOnlySpan<byte> sessionKey) => _receive.Mix(sessionKey);

    /// <summary>Zeroes the keys and the buffers. The pipe stays with its owner.</summary>
    public void Dispose()
    {
        _reader.Dispose();
        _send.Dispose();
        _receive.Dispose();
        CryptographicOperations.ZeroMemory(_opened.AsSpan(0, _openedUsed));
    }

    internal static ProtocolException ChannelFailed() => new(ProtocolError.ChannelFailed, "A handshake or record did not verify.");

    private int Seal(int end) => _added == 1
        ? SealFrame(_firstCode, _firstRequestId, _plaintext.Written[(_first + Bundle.HeadSize)..end])
        : SealFrame(MessageCode.Bundle, 0, _plaintext.Written[_first..end]);

    private int SealFrame(MessageCode code, uint requestId, ReadOnlySpan<byte> plaintext)
    {
        var sealedLength = AuthenticatedCbc.SealedLength(plaintext.Length);
        var frame = _output.GetSpan(FrameHeader.Size + sealedLength)[..(FrameHeader.Size + sealedLength)];
        new FrameHeader(Session, code, requestId, sealedLength).Write(frame);
        _send.Seal(frame[..FrameHeader.Size], plaintext, frame[FrameHeader.Size..]);
        _output.Advance(frame.Length);
        return frame.Length;
    }

    private void Forget()
    {
        _plaintext.Return();
        (_added, _first) = (0, 0);
    }

    private ReceivedFrame NextOfBundle()
    {
        Bundle.ReadHead(_bundle.Span, out var code, out var requestId, out var length);
        var payload = _bundle.Slice(Bundle.HeadSize, length);
        _bundle = _bundle[(Bundle.HeadSize + length)..];
        return new ReceivedFrame(code, requestId, payload);
    }

    private ReceivedFrame Open()
    {
        var header = _reader.Header;
        var frame = Contiguous(_reader.Frame);
        var payload = frame.Span[FrameHeader.Size..];
        Rent(ref _opened, payload.Length, _openedUsed);
        _openedUsed = Math.Max(_openedUsed, payload.Length);
        if (header.Session != Session
            || !_receive.TryOpen(frame.Span[..FrameHeader.Size], payload, _opened, out var written))
        {
            throw ChannelFailed();
        }

        if (header.Code == MessageCode.Bundle)
        {
            // An empty one is refused here, as one that is cut short.
            _bundle = _opened.AsMemory(0, written);
            return NextOfBundle();
        }

        return new ReceivedFrame(header.Code, header.RequestId, _opened.AsMemory(0, written));
    }

    private ReadOnlyMemory<byte> Contiguous(in ReadOnlySequence<byte> sequence)
    {
        if (sequence.IsSingleSegment)
        {
            return sequence.First;
        }

        var length = (int)sequence.Length;
        Rent(ref _contiguous, length, 0);
        sequence.CopyTo(_contiguous);
        return _contiguous.AsMemory(0, length);
    }

    private static void Rent(ref byte[] buffer, int length, int secretLength)
    {
        if (buffer.Length < length)
        {
            Return(ref buffer, secretLength);
            buffer = ArrayPool<byte>.Shared.Rent(length);
        }
    }

    private static void Return(ref byte[] buffer, int secretLength)
    {
        if (buffer.Length > 0)
        {
            CryptographicOperations.ZeroMemory(buffer.AsSpan(0, secretLength));
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = [];
        }
    }

    private void ReturnBuffers()
    {
        Return(ref _opened, _openedUsed);
        _openedUsed = 0;
        Return(ref _contiguous, 0);
    }
}

/// <summary>What the handshake establishes beside the keys.</summary>
internal sealed record HandshakeResult(
    SessionId Session,
    ServerId Server,
    DateTimeOffset ServerTime,
    ReadOnlyMemory<byte> ServerSigningKey,
    ReadOnlyMemory<byte> ChannelBinding);
