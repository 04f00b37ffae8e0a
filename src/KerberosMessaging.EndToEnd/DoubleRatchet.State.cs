using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <content>
/// The stored form of an established ratchet: one that can send.
/// <code>
///  root key (32), has sending chain (1: 0 or 1), sending chain, next sending header key (64), previous chain length (4),
///  peer's ratchet public key (32), has receiving chain (1), receiving chain, next receiving header key (64),
///  chains left: count (2), count × receiving chain,
///  has an offer of the peer (1), ML-KEM-768 encapsulation key (1184, if so),
///  messages since the last KEM secret (4), its time (8), messages not answered (4), time of the last message sent (8)
/// </code>
/// </content>
internal sealed partial class DoubleRatchet : IExported
{
    public static DoubleRatchet Read(ref StateReader reader)
    {
        var rootKey = reader.ReadSecret(RatchetKdf.KeySize);
        var sending = reader.ReadFlag() ? SendingChain.Read(ref reader) : null;
        var nextSending = new HeaderKey(reader.ReadBytes(HeaderKey.Size));
        var previousChainLength = reader.ReadUInt32();
        var receivingRatchet = reader.ReadBytes(X25519PrivateKey.Size).ToArray();
        var receiving = reader.ReadFlag() ? ReceivingChain.Read(ref reader) : null;
        var nextReceiving = new HeaderKey(reader.ReadBytes(HeaderKey.Size));
        var ratchet = new DoubleRatchet(rootKey, nextSending, nextReceiving)
        {
            _sending = sending,
            _previousChainLength = previousChainLength,
            _receivingRatchet = receivingRatchet,
            _receiving = receiving,
        };
        var past = reader.ReadCount(MaxPastChains);
        for (var i = 0; i < past; i++)
        {
            ratchet._past.Add(ReceivingChain.Read(ref reader));
        }

        ratchet._peerOffer = reader.ReadFlag() ? reader.ReadBytes(MlKem768.PublicKeySize).ToArray() : null;
        ratchet._sinceRefresh = reader.ReadUInt32();
        ratchet._refreshedAt = reader.ReadTime();
        ratchet._unanswered = reader.ReadUInt32();
        ratchet._lastSentAt = reader.ReadTime();

        // Before anything was read there is the initiator's chain; chains that were left are closed, and no other is.
        return (sending is not null || receiving is not null)
            && receiving is not { IsOpen: false }
            && ratchet._past.TrueForAll(static chain => !chain.IsOpen && chain.SkippedCount > 0)
            ? ratchet
            : throw StateReader.Refused();
    }

    public void Write(ref StateWriter writer)
    {
        if (_receivingRatchet is null)
        {
            throw new InvalidOperationException("A session is kept only once it can send.");
        }

        writer.WriteBytes(_rootKey.Span);
        writer.WriteFlag(_sending is not null);
        _sending?.Write(ref writer);
        writer.WriteBytes(_nextSendingHeaderKey.Span);
        writer.WriteUInt32(_previousChainLength);
        writer.WriteBytes(_receivingRatchet);
        writer.WriteFlag(_receiving is not null);
        _receiving?.Write(ref writer);
        writer.WriteBytes(_nextReceivingHeaderKey.Span);
        writer.WriteUInt16((ushort)_past.Count);
        foreach (var chain in _past)
        {
            chain.Write(ref writer);
        }

        writer.WriteFlag(_peerOffer is not null);
        writer.WriteBytes(_peerOffer);
        writer.WriteUInt32(_sinceRefresh);
        writer.WriteTime(_refreshedAt);
        writer.WriteUInt32(_unanswered);
        writer.WriteTime(_lastSentAt);
    }
}
