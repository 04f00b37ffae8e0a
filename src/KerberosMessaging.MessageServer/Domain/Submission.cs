using System.Buffers.Binary;
using System.IO.Hashing;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>A message that a device asks to be relayed, with its sender as the ticket proved it.</summary>
internal sealed class Submission
{
    // The recipient, the time to live and the kind; of each envelope its device and length.
    private const int HeadSize = 16 + sizeof(uint) + sizeof(byte);
    private const int EnvelopeHeadSize = 16 + sizeof(int);

    public Submission(
        DeviceAddress sender,
        string senderName,
        MessageId message,
        ClientId recipient,
        uint timeToLiveSeconds,
        bool isEphemeral,
        IReadOnlyList<SubmittedEnvelope> envelopes,
        IReadOnlyList<DeviceId> leftOut)
    {
        Sender = sender;
        SenderName = senderName;
        Message = message;
        Recipient = recipient;
        TimeToLiveSeconds = timeToLiveSeconds;
        IsEphemeral = isEphemeral;
        Envelopes = envelopes;
        LeftOut = leftOut;
        for (var i = 0; i < envelopes.Count; i++)
        {
            Size += envelopes[i].Body.Length;
        }

        Digest = ComputeDigest();
    }

    public DeviceAddress Sender { get; }

    public string SenderName { get; }

    public MessageId Message { get; }

    public ClientId Recipient { get; }

    /// <summary>As asked for: 0 leaves it to the server.</summary>
    public uint TimeToLiveSeconds { get; }

    /// <summary>Only for devices that are connected; never stored.</summary>
    public bool IsEphemeral { get; }

    public IReadOnlyList<SubmittedEnvelope> Envelopes { get; }

    /// <summary>Devices that are not missed, although there is no envelope for them.</summary>
    public IReadOnlyList<DeviceId> LeftOut { get; }

    /// <summary>Bytes of all envelopes.</summary>
    public long Size { get; }

    /// <summary>
    /// XXH3 over all that is to be delivered: tells a repeat from another message under the same id. What was left out decides
    /// only whether a message is taken, so a sender that has learned of one more device still repeats. Whoever makes two that
    /// collide deceives itself alone, since ids are a sender's own.
    /// </summary>
    public ulong Digest { get; }

    private ulong ComputeDigest()
    {
        Span<byte> head = stackalloc byte[HeadSize];
        Recipient.Value.TryWriteBytes(head, bigEndian: true, out _);
        BinaryPrimitives.WriteUInt32BigEndian(head[16..], TimeToLiveSeconds);
        head[^1] = IsEphemeral ? (byte)1 : (byte)0;
        var digest = XxHash3.HashToUInt64(head);
        Span<byte> envelope = stackalloc byte[EnvelopeHeadSize];
        for (var i = 0; i < Envelopes.Count; i++)
        {
            // Each is hashed with its length and the digest so far, so that bytes cannot move from one to the next unseen.
            var (device, body) = Envelopes[i];
            device.Value.TryWriteBytes(envelope, bigEndian: true, out _);
            BinaryPrimitives.WriteInt32BigEndian(envelope[16..], body.Length);
            digest = XxHash3.HashToUInt64(envelope, (long)digest);
            digest = XxHash3.HashToUInt64(body, (long)digest);
        }

        return digest;
    }
}
