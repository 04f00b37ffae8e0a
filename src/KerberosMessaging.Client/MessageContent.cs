using System.Buffers.Binary;
using System.Text;

namespace KerberosMessaging.Client;

/// <summary>What kind of content a message has. Numbers are never reused; unknown kinds are kept and shown as such.</summary>
public enum MessageKind : ushort
{
    /// <summary>UTF-8 text.</summary>
    Text = 1,

    /// <summary>What another of the own devices sent. Like all kinds up to <see cref="AccountKey"/> it is for the SDK, and never shown.</summary>
    SentCopy = 2,

    /// <summary>Asks for messages that could not be read.</summary>
    ResendRequest = 3,

    /// <summary>A message once more, under its first id.</summary>
    Resent = 4,

    /// <summary>Names messages that were asked for and cannot be sent again.</summary>
    Gone = 5,

    /// <summary>An answer without content, so that the ratchet turns.</summary>
    KeyUpdate = 6,

    /// <summary>The account key, for a device that is being linked.</summary>
    AccountKey = 7,
}

/// <summary>
/// What the end-to-end encryption carries: a typed, versioned envelope, so that later kinds need no new wire.
/// <code>
///  0         1      3             11
///  +---------+------+-------------+------+
///  | version | kind | sent at     | body |
///  | (1) = 1 | (2)  | (8, Unix ms)|      |
///  +---------+------+-------------+------+
/// </code>
/// </summary>
/// <param name="Kind">The kind.</param>
/// <param name="SentAt">The sender's clock when it was written.</param>
/// <param name="Body">The kind's own bytes.</param>
public sealed record MessageContent(MessageKind Kind, DateTimeOffset SentAt, ReadOnlyMemory<byte> Body)
{
    private const byte FormatVersion = 1;
    private const int HeaderSize = 11;

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>The text; null for other kinds and for bytes that are not UTF-8.</summary>
    public string? Text
    {
        get
        {
            try
            {
                return Kind == MessageKind.Text ? StrictUtf8.GetString(Body.Span) : null;
            }
            catch (DecoderFallbackException)
            {
                return null;
            }
        }
    }

    /// <summary>A text message.</summary>
    /// <param name="text">The text.</param>
    /// <param name="sentAt">The sender's clock.</param>
    public static MessageContent OfText(string text, DateTimeOffset sentAt) =>
        new(MessageKind.Text, sentAt, StrictUtf8.GetBytes(text));

    /// <summary>Never the content.</summary>
    public override string ToString() => $"{Kind}, {Body.Length} bytes";

    internal byte[] ToBytes()
    {
        var bytes = new byte[HeaderSize + Body.Length];
        bytes[0] = FormatVersion;
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(1), (ushort)Kind);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(3), SentAt.ToUnixTimeMilliseconds());
        Body.Span.CopyTo(bytes.AsSpan(HeaderSize));
        return bytes;
    }

    internal static MessageContent? TryRead(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderSize || bytes[0] != FormatVersion)
        {
            return null;
        }

        var sentAt = BinaryPrimitives.ReadInt64BigEndian(bytes[3..]);
        return sentAt is >= 0 and <= 253_402_300_799_999
            ? new MessageContent(
                (MessageKind)BinaryPrimitives.ReadUInt16BigEndian(bytes[1..]),
                DateTimeOffset.FromUnixTimeMilliseconds(sentAt),
                bytes[HeaderSize..].ToArray())
            : null;
    }
}
