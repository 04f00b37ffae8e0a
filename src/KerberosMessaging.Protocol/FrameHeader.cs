using System.Buffers;
using System.Buffers.Binary;

namespace KerberosMessaging.Protocol;

/// <summary>
/// What stands in front of every payload: the 23-byte header and the payload size.
/// <code>
///  0        16      17     19           23             27
///  +---------+-------+------+------------+--------------+
///  | session | ver-  | code | request id | payload size |
///  | id (16) | sion  | (2)  | (4)        | (4)          |
///  |         | (1)   |      |            |              |
///  +---------+-------+------+------------+--------------+
/// </code>
/// </summary>
/// <param name="Session">The channel's session id; zero in both handshake frames.</param>
/// <param name="Code">What the payload is.</param>
/// <param name="RequestId">Chosen by the requester and echoed in the reply; zero in pushes.</param>
/// <param name="PayloadSize">Length in bytes of what follows, sealed once the handshake is done.</param>
public readonly record struct FrameHeader(SessionId Session, MessageCode Code, uint RequestId, int PayloadSize)
{
    /// <summary>Bytes of the header alone.</summary>
    public const int HeaderSize = 23;

    /// <summary>Bytes in front of a payload: the header and the 4 bytes of payload size.</summary>
    public const int Size = 27;

    private const int VersionOffset = 16;

    /// <summary>
    /// Reads a header from the start of <paramref name="buffer"/>, judging each field as soon as it is there: a wrong
    /// version is refused after 17 bytes, so that a peer of another version whose frames are shorter still gets its answer.
    /// </summary>
    /// <param name="buffer">What has arrived.</param>
    /// <param name="payloadLimit">The largest payload size allowed now, in bytes.</param>
    /// <param name="header">The header, when the method returns true.</param>
    /// <returns>False when more bytes are needed.</returns>
    /// <exception cref="ProtocolException">The version is not ours, or the size is over the limit.</exception>
    public static bool TryRead(in ReadOnlySequence<byte> buffer, int payloadLimit, out FrameHeader header)
    {
        header = default;
        scoped var bytes = buffer.FirstSpan;
        if (bytes.Length < Size)
        {
            Span<byte> gathered = stackalloc byte[Size];
            var length = (int)Math.Min(buffer.Length, Size);
            buffer.Slice(0, length).CopyTo(gathered);
            bytes = gathered[..length];
        }

        if (bytes.Length > VersionOffset && bytes[VersionOffset] != ProtocolLimits.Version)
        {
            throw new ProtocolException(ProtocolError.UnsupportedVersion, "The frame's version is not supported.");
        }

        if (bytes.Length < Size)
        {
            return false;
        }

        var size = BinaryPrimitives.ReadUInt32BigEndian(bytes[23..]);
        if (size > (uint)payloadLimit)
        {
            throw new ProtocolException(ProtocolError.TooLarge, "The announced payload is over the limit.");
        }

        header = new FrameHeader(
            new SessionId(new Guid(bytes[..16], bigEndian: true)),
            (MessageCode)BinaryPrimitives.ReadUInt16BigEndian(bytes[17..]),
            BinaryPrimitives.ReadUInt32BigEndian(bytes[19..]),
            (int)size);
        return true;
    }

    /// <summary>Writes the 27 bytes.</summary>
    /// <param name="destination">At least <see cref="Size"/> bytes.</param>
    public void Write(Span<byte> destination)
    {
        Session.Value.TryWriteBytes(destination, bigEndian: true, out _);
        destination[VersionOffset] = ProtocolLimits.Version;
        BinaryPrimitives.WriteUInt16BigEndian(destination[17..], (ushort)Code);
        BinaryPrimitives.WriteUInt32BigEndian(destination[19..], RequestId);
        BinaryPrimitives.WriteUInt32BigEndian(destination[23..], (uint)PayloadSize);
    }
}
