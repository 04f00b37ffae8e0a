using System.Buffers.Binary;
using System.Security.Cryptography;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Benchmarks.Relay;

/// <summary>
/// What a message carries instead of words, so that its recipient can tell what was lost, doubled, overtaken or late. It stands
/// in an envelope that looks to the server like any other of a running conversation:
/// <code>
///  0         1      2        6          14         22               266
///  +---------+------+--------+----------+----------+----------------+
///  | version | kind | sender | number   | due at   | random bytes   |
///  | (1)     | (1)  | (4)    | (8)      | (8)      | (244)          |
///  +---------+------+--------+----------+----------+----------------+
/// </code>
/// </summary>
/// <param name="Sender">The sender's index.</param>
/// <param name="Number">Counts the messages from this sender to this recipient, from 1.</param>
/// <param name="At">When the message was due to be sent, in ticks of <see cref="System.Diagnostics.Stopwatch"/>.</param>
internal readonly record struct Stamp(int Sender, long Number, long At)
{
    /// <summary>The smallest size over 256 that an envelope of this kind can have: 90 bytes and whole AES blocks.</summary>
    public const int EnvelopeSize = 90 + (11 * 16);

    private const int SenderAt = 2;
    private const int NumberAt = SenderAt + sizeof(int);
    private const int TimeAt = NumberAt + sizeof(long);

    /// <summary>An envelope to be stamped.</summary>
    public static byte[] NewEnvelope()
    {
        var envelope = RandomNumberGenerator.GetBytes(EnvelopeSize);
        envelope[0] = EnvelopeShape.Version;
        envelope[1] = EnvelopeShape.RatchetKind;
        EnvelopeShape.Check(envelope);
        return envelope;
    }

    public static Stamp Read(ReadOnlySpan<byte> envelope) => new(
        BinaryPrimitives.ReadInt32BigEndian(envelope[SenderAt..]),
        BinaryPrimitives.ReadInt64BigEndian(envelope[NumberAt..]),
        BinaryPrimitives.ReadInt64BigEndian(envelope[TimeAt..]));

    public void Write(Span<byte> envelope)
    {
        BinaryPrimitives.WriteInt32BigEndian(envelope[SenderAt..], Sender);
        BinaryPrimitives.WriteInt64BigEndian(envelope[NumberAt..], Number);
        BinaryPrimitives.WriteInt64BigEndian(envelope[TimeAt..], At);
    }
}
