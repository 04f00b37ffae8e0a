using System.Buffers.Binary;
using System.Security.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>A message that a device asks to be stored, with its sender as the ticket proved it.</summary>
internal sealed class Submission
{
    public Submission(
        DeviceAddress sender,
        string senderName,
        MessageId message,
        ClientId recipient,
        uint timeToLiveSeconds,
        IReadOnlyList<SubmittedEnvelope> envelopes)
    {
        Sender = sender;
        SenderName = senderName;
        Message = message;
        Recipient = recipient;
        TimeToLiveSeconds = timeToLiveSeconds;
        Envelopes = envelopes;
        Size = envelopes.Sum(static envelope => (long)envelope.Body.Length);
        Digest = ComputeDigest();
    }

    public DeviceAddress Sender { get; }

    public string SenderName { get; }

    public MessageId Message { get; }

    public ClientId Recipient { get; }

    /// <summary>As asked for: 0 leaves it to the server.</summary>
    public uint TimeToLiveSeconds { get; }

    public IReadOnlyList<SubmittedEnvelope> Envelopes { get; }

    /// <summary>Bytes of all envelopes.</summary>
    public long Size { get; }

    /// <summary>SHA-256 over all that was asked for: tells a repeat from another message under the same id.</summary>
    public byte[] Digest { get; }

    private byte[] ComputeDigest()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> field = stackalloc byte[20];
        Recipient.Value.TryWriteBytes(field, bigEndian: true, out _);
        BinaryPrimitives.WriteUInt32BigEndian(field[16..], TimeToLiveSeconds);
        hash.AppendData(field);
        foreach (var (device, body) in Envelopes)
        {
            // Each length stands in front, so that bytes cannot move from one envelope to the next unseen.
            device.Value.TryWriteBytes(field, bigEndian: true, out _);
            BinaryPrimitives.WriteInt32BigEndian(field[16..], body.Length);
            hash.AppendData(field);
            hash.AppendData(body);
        }

        return hash.GetHashAndReset();
    }
}
