using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Transport;

/// <summary>
/// The secure channel over a duplex pipe, after its handshake. Reading and writing are independent of each other, but
/// each must be done by one caller at a time (a read loop and a writer loop).
/// </summary>
public sealed partial class SecureChannel : IDisposable
{
    private readonly PipeWriter _output;
    private readonly FrameReader _reader;
    private readonly RecordProtector _send;
    private readonly RecordProtector _receive;
    private readonly ArrayBufferWriter<byte> _plaintext = new();
    private byte[] _opened = [];
    private byte[] _contiguous = [];

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

    /// <summary>Waits for the next frame; null at a clean end of the stream.</summary>
    /// <exception cref="ProtocolException">The frame or its record is refused; the connection must end.</exception>
    public async ValueTask<ReceivedFrame?> ReadAsync(CancellationToken cancellationToken)
    {
        if (!await _reader.ReadAsync(PayloadLimit, cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        var header = _reader.Header;
        var frame = Contiguous(_reader.Frame);
        var payload = frame.Span[FrameHeader.Size..];
        if (_opened.Length < payload.Length)
        {
            Replace(ref _opened, payload.Length);
        }

        if (header.Session != Session
            || !_receive.TryOpen(frame.Span[..FrameHeader.Size], payload, _opened, out var written))
        {
            throw ChannelFailed();
        }

        return new ReceivedFrame(header.Code, header.RequestId, _opened.AsMemory(0, written));
    }

    /// <summary>Seals a message into the outgoing pipe; <see cref="FlushAsync"/> sends it.</summary>
    /// <param name="message">The message.</param>
    /// <param name="requestId">The requester's number; 0 in pushes.</param>
    public void Write(IWireMessage message, uint requestId)
    {
        _plaintext.ResetWrittenCount();
        message.Write(new WireWriter(_plaintext));
        var sealedLength = AuthenticatedCbc.SealedLength(_plaintext.WrittenCount);
        var frame = _output.GetSpan(FrameHeader.Size + sealedLength)[..(FrameHeader.Size + sealedLength)];
        new FrameHeader(Session, message.FrameCode, requestId, sealedLength).Write(frame);
        _send.Seal(frame[..FrameHeader.Size], _plaintext.WrittenSpan, frame[FrameHeader.Size..]);
        _output.Advance(frame.Length);
    }

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
        _plaintext.Clear();
        CryptographicOperations.ZeroMemory(_opened);
    }

    internal static ProtocolException ChannelFailed() => new(ProtocolError.ChannelFailed, "A handshake or record did not verify.");

    private ReadOnlyMemory<byte> Contiguous(in ReadOnlySequence<byte> sequence)
    {
        if (sequence.IsSingleSegment)
        {
            return sequence.First;
        }

        var length = (int)sequence.Length;
        if (_contiguous.Length < length)
        {
            Replace(ref _contiguous, length);
        }

        sequence.CopyTo(_contiguous);
        return _contiguous.AsMemory(0, length);
    }

    // Doubling, so that slowly growing frames do not allocate each time.
    private static void Replace(ref byte[] buffer, int length)
    {
        CryptographicOperations.ZeroMemory(buffer);
        buffer = new byte[Math.Max(length, Math.Min(buffer.Length * 2, 1024 * 1024))];
    }
}

/// <summary>What the handshake establishes beside the keys.</summary>
internal sealed record HandshakeResult(
    SessionId Session,
    ServerId Server,
    DateTimeOffset ServerTime,
    ReadOnlyMemory<byte> ServerSigningKey,
    ReadOnlyMemory<byte> ChannelBinding);
