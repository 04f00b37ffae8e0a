using System.Buffers;
using KerberosMessaging.Cryptography;
using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client.Conversations;

/// <summary>A message of another of the own devices: to whom it went, and what it says.</summary>
internal sealed record SentCopy(ClientId Recipient, string RecipientName, MessageId Message, byte[] Content);

/// <summary>A message once more, of which the receiver said that it could not read it.</summary>
internal sealed record Resent(MessageId Message, byte[] Content);

/// <summary>
/// The bodies of the contents by which devices of the SDK talk to each other, unseen by people. docs/protocol.md has their bytes.
/// Whoever sends them is authentic but need not be friendly: what has another form than it should is null.
/// </summary>
internal static class ControlMessages
{
    /// <summary>Most message ids in one list.</summary>
    public const int MaxIds = 256;

    private const int SeedSize = 32;

    /// <summary>Whether a kind is for people. Kinds that are not known are: a newer program sent them.</summary>
    public static bool IsShown(MessageKind kind) => kind is < MessageKind.SentCopy or > MessageKind.AccountKey;

    public static byte[] OfSentCopy(SentCopy copy) => Write(writer =>
    {
        writer.WriteId(copy.Recipient.Value);
        writer.WriteText(copy.RecipientName);
        writer.WriteId(copy.Message.Value);
        writer.WriteFixed(copy.Content, copy.Content.Length);
    });

    public static SentCopy? ReadSentCopy(ReadOnlySpan<byte> body) => Read(body, static (ref reader) => new SentCopy(
        new ClientId(reader.ReadId()), reader.ReadText(ProtocolLimits.NameBytes), new MessageId(reader.ReadId()), reader.ReadFixed(reader.Remaining)));

    public static byte[] OfIds(IReadOnlyCollection<MessageId> messages) => Write(writer =>
    {
        writer.WriteCount(messages.Count);
        foreach (var message in messages)
        {
            writer.WriteId(message.Value);
        }
    });

    public static MessageId[]? ReadIds(ReadOnlySpan<byte> body) => Read(body, static (ref reader) =>
    {
        var messages = new MessageId[reader.ReadCount(MaxIds, 16)];
        for (var i = 0; i < messages.Length; i++)
        {
            messages[i] = new MessageId(reader.ReadId());
        }

        return messages;
    });

    public static byte[] OfResent(Resent resent) => Write(writer =>
    {
        writer.WriteId(resent.Message.Value);
        writer.WriteFixed(resent.Content, resent.Content.Length);
    });

    public static Resent? ReadResent(ReadOnlySpan<byte> body) =>
        Read(body, static (ref reader) => new Resent(new MessageId(reader.ReadId()), reader.ReadFixed(reader.Remaining)));

    /// <summary>The account key's seed and the proof that the sender was given the code.</summary>
    public static byte[] OfAccountKey(SecretBytes seed, byte[] proof) => [.. seed.Span, .. proof];

    public static (SecretBytes Seed, byte[] Proof)? ReadAccountKey(ReadOnlySpan<byte> body) =>
        body.Length == SeedSize + LinkCode.ProofSize ? (new SecretBytes(body[..SeedSize]), body[SeedSize..].ToArray()) : null;

    private delegate T Reading<out T>(ref WireReader reader);

    private static byte[] Write(Action<WireWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        write(new WireWriter(buffer));
        return buffer.WrittenSpan.ToArray();
    }

    private static T? Read<T>(ReadOnlySpan<byte> body, Reading<T> read)
        where T : class
    {
        try
        {
            var reader = new WireReader(body);
            var message = read(ref reader);
            reader.ExpectEnd();
            return message;
        }
        catch (ProtocolException)
        {
            return null;
        }
    }
}
