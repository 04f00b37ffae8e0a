using System.Buffers.Binary;

namespace KerberosMessaging.Protocol.Messages;

/// <summary>
/// Several frames in one record: what leaves together is sealed together. Either end may send one wherever it could have sent the
/// frames one after the other; their order counts. Each of them stands for a frame of its own in every other respect.
/// </summary>
/// <param name="Frames">At least one.</param>
public sealed record Bundle(IReadOnlyList<BundledFrame> Frames) : IWireMessage<Bundle>
{
    /// <summary>Bytes in front of each payload: its code (2), its request id (4) and its length (4).</summary>
    public const int HeadSize = 10;

    /// <inheritdoc />
    public static MessageCode Code => MessageCode.Bundle;

    /// <inheritdoc />
    public static Bundle Read(ref WireReader reader)
    {
        var frames = new List<BundledFrame>();
        do
        {
            var code = Check((MessageCode)reader.ReadU16());
            frames.Add(new BundledFrame(code, reader.ReadU32(), reader.ReadBytes32(int.MaxValue)));
        }
        while (reader.Remaining > 0);
        return new Bundle(frames);
    }

    /// <summary>Takes the first frame of a bundle without copying it.</summary>
    /// <param name="bundle">The bundle's payload, or what is left of it.</param>
    /// <param name="code">The frame's code.</param>
    /// <param name="requestId">Its request id.</param>
    /// <param name="length">The length of its payload, which starts after <see cref="HeadSize"/> bytes.</param>
    /// <exception cref="ProtocolException">There is none, or it is not well-formed.</exception>
    public static void ReadHead(ReadOnlySpan<byte> bundle, out MessageCode code, out uint requestId, out int length)
    {
        if (bundle.Length < HeadSize
            || BinaryPrimitives.ReadUInt32BigEndian(bundle[6..]) is var size && size > (uint)(bundle.Length - HeadSize))
        {
            throw new ProtocolException(ProtocolError.Malformed, "A bundle ends inside a frame.");
        }

        code = Check((MessageCode)BinaryPrimitives.ReadUInt16BigEndian(bundle));
        requestId = BinaryPrimitives.ReadUInt32BigEndian(bundle[2..]);
        length = (int)size;
    }

    /// <summary>Writes what stands in front of a payload.</summary>
    /// <param name="head"><see cref="HeadSize"/> bytes.</param>
    /// <param name="code">The frame's code.</param>
    /// <param name="requestId">Its request id.</param>
    /// <param name="length">The length of its payload.</param>
    public static void WriteHead(Span<byte> head, MessageCode code, uint requestId, int length)
    {
        BinaryPrimitives.WriteUInt16BigEndian(head, (ushort)code);
        BinaryPrimitives.WriteUInt32BigEndian(head[2..], requestId);
        BinaryPrimitives.WriteUInt32BigEndian(head[6..], (uint)length);
    }

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        foreach (var (code, requestId, payload) in Frames)
        {
            writer.WriteU16((ushort)code);
            writer.WriteU32(requestId);
            writer.WriteBytes32(payload);
        }
    }

    // A bundle in a bundle would let a small record stand for very many frames.
    private static MessageCode Check(MessageCode code) => code is MessageCode.Bundle or MessageCode.ClientHello or MessageCode.ServerHello
        ? throw new ProtocolException(ProtocolError.Malformed, "A bundle holds a frame that cannot be in one.")
        : code;
}

/// <summary>A frame in a bundle.</summary>
/// <param name="Code">What it is.</param>
/// <param name="RequestId">Chosen by the requester and echoed in the reply; zero in pushes.</param>
/// <param name="Payload">Its fields.</param>
public sealed record BundledFrame(MessageCode Code, uint RequestId, byte[] Payload);
