using System.Buffers.Binary;
using System.Security.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Benchmarks.Relay;

/// <summary>
/// What a message carries instead of words, so that its recipient can tell what was lost, doubled, overtaken or late. It stands
/// in an envelope that looks to the server like any other of a running conversation:
/// <code>
///  0         1      2           4        8          16         24               260
///  +---------+------+-----------+--------+----------+----------+----------------+
///  | version | kind | length of | sender | number   | due at   | random bytes   |
///  | (1)     | (1)  | header (2)| (4)    | (8)      | (8)      | (236)          |
///  +---------+------+-----------+--------+----------+----------+----------------+
/// </code>
/// </summary>
/// <param name="Sender">The sender's index.</param>
/// <param name="Number">Counts the messages from this sender to this recipient, from 1.</param>
/// <param name="At">When the message was due to be sent, in ticks of <see cref="System.Diagnostics.Stopwatch"/>.</param>
internal readonly record struct Stamp(int Sender, long Number, long At)
{
    /// <summary>The smallest size over 256 that an envelope of this kind can have.</summary>
    public const int EnvelopeSize = Overhead + (Blocks * 16);

    /// <summary>As many AES blocks as the largest envelope of this kind has.</summary>
    public const int MostBlocks = (ProtocolLimits.EnvelopeBytes - Overhead) / 16;

    private const int Blocks = 8;
    private const byte HeaderSize = 96;

    // Version, kind, length of the header, header, tag.
    private const int Overhead = 1 + 1 + 2 + HeaderSize + 32;

    private const int SenderAt = 4;
    private const int NumberAt = SenderAt + sizeof(int);
    private const int TimeAt = NumberAt + sizeof(long);

    /// <summary>An envelope to be stamped, with so many AES blocks of ciphertext.</summary>
    public static byte[] NewEnvelope(int blocks = Blocks)
    {
        var envelope = RandomNumberGenerator.GetBytes(Overhead + (blocks * 16));
        byte[] start = [EnvelopeShape.Version, EnvelopeShape.RatchetKind, 0, HeaderSize];
        start.CopyTo(envelope, 0);
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
