using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>Which chain of a session a header belongs to.</summary>
/// <param name="Known">The chain; null for the peer's next one, whose header begins a ratchet step (Double Ratchet, section 4.3).</param>
internal readonly record struct ChainMatch(ReceivingChain? Known);

/// <summary>
/// The Double Ratchet with header encryption, section 4, for one session. Opening a message computes everything beside the state
/// and changes the state only after the message proved authentic.
/// <para>
/// The two halves of a ratchet step are taken apart in time: the receiving half when the first message of the peer's new chain is
/// read, the sending half when there is something to send, so that no key of the new sending chain exists before it is needed.
/// </para>
/// <para>
/// A step of the root is refreshed with ML-KEM-768: one side offers a fresh encapsulation key in all headers of a chain,
/// the other answers in its next chain, whose root step takes in the shared secret. A chain offers a key where
/// <see cref="RefreshAfterMessages"/> messages or <see cref="RefreshAfter"/> have passed since the last such secret.
/// </para>
/// </summary>
internal sealed partial class DoubleRatchet : IDisposable
{
    /// <summary>Messages of a session, of both sides, after which a chain offers a KEM key: early enough for 50 at most between two secrets.</summary>
    public const int RefreshAfterMessages = 12;

    /// <summary>Messages read one after the other that call for an answer, without which the ratchet stands still.</summary>
    public const int AnswerAfterMessages = 12;

    /// <summary>The most keys of passed messages kept in a session, over all chains.</summary>
    public const int MaxSkippedTotal = 2 * ReceivingChain.MaxSkip;

    /// <summary>The most chains that keys are kept of: each costs one try at a header that nothing else opens.</summary>
    public const int MaxPastChains = 32;

    /// <summary>
    /// The time after which a chain offers a KEM key, and after which an answer is due. A chain may begin just before and offer none, and
    /// its answer and the answer to that may both be late: three times this is well within the 7 days at most between two secrets.
    /// </summary>
    public static readonly TimeSpan RefreshAfter = TimeSpan.FromDays(2);

    /// <summary>How long a key of a passed message is kept: longer than any message server keeps a message (30 days).</summary>
    public static readonly TimeSpan SkippedKeyLifetime = TimeSpan.FromDays(35);

    private readonly List<ReceivingChain> _past = [];

    private SecretBytes _rootKey;                   // RK
    private SendingChain? _sending;                 // DHs, CKs, HKs, Ns; null where the sending half of a step is due
    private SecretBytes? _firstRatchet;             // DHs of a responder that has read nothing yet: its signed prekey
    private HeaderKey _nextSendingHeaderKey;        // NHKs
    private uint _previousChainLength;              // PN
    private byte[]? _receivingRatchet;              // DHr; null in a responder that has read nothing yet
    private ReceivingChain? _receiving;             // CKr, HKr, Nr; null until the first message is read
    private HeaderKey _nextReceivingHeaderKey;      // NHKr
    private byte[]? _peerOffer;                     // the KEM key that the peer's chain offers, until it is answered
    private uint _sinceRefresh;                     // messages since the last secret of a KEM
    private DateTimeOffset _refreshedAt;
    private uint _unanswered;                       // messages read since the last one sent
    private DateTimeOffset _lastSentAt;

    private DoubleRatchet(SecretBytes rootKey, HeaderKey nextSendingHeaderKey, HeaderKey nextReceivingHeaderKey)
    {
        _rootKey = rootKey;
        _nextSendingHeaderKey = nextSendingHeaderKey;
        _nextReceivingHeaderKey = nextReceivingHeaderKey;
    }

    /// <summary>Whether a message of the peer was read.</summary>
    public bool HasRead => _receiving is not null;

    /// <summary>RatchetInitAliceHE of section 4.3; the peer's first ratchet key is its signed prekey (section 5.1).</summary>
    public static bool TryInitiate(
        PqxdhAgreement agreement,
        ReadOnlySpan<byte> peerSignedPrekey,
        DateTimeOffset now,
        [NotNullWhen(true)] out DoubleRatchet? ratchet)
    {
        ratchet = null;
        using var ownRatchet = X25519PrivateKey.Generate();
        using var agreed = new SecretBytes(X25519PrivateKey.Size);
        if (!ownRatchet.TryAgree(peerSignedPrekey, agreed.Span))
        {
            return false;
        }

        using var step = RatchetKdf.StepRoot(agreement.SharedKey, agreed.Span, []);
        ratchet = new DoubleRatchet(
            step.TakeRootKey(), step.TakeNextHeaderKey(), new HeaderKey(agreement.ResponderHeaderKey.Span))
        {
            _sending = new SendingChain(
                ownRatchet.Export(),
                ownRatchet.PublicKey.ToArray(),
                step.TakeChainKey(),
                new HeaderKey(agreement.InitiatorHeaderKey.Span),
                KemPartKind.None,
                [],
                offerSeed: null),
            _receivingRatchet = peerSignedPrekey.ToArray(),
            _refreshedAt = now,
            _lastSentAt = now,
        };
        return true;
    }

    /// <summary>RatchetInitBobHE of section 4.3. It can send only after it has opened the first message.</summary>
    public static DoubleRatchet Respond(PqxdhAgreement agreement, SecretBytes signedPrekey, DateTimeOffset now) =>
        new(
            agreement.SharedKey.Clone(),
            new HeaderKey(agreement.ResponderHeaderKey.Span),
            new HeaderKey(agreement.InitiatorHeaderKey.Span))
        {
            _firstRatchet = signedPrekey.Clone(),
            _refreshedAt = now,
            _lastSentAt = now,
        };

    /// <summary>Whether the peer has waited so long for an answer that one should be sent for the ratchet's sake alone.</summary>
    public bool WantsAnswer(DateTimeOffset now) =>
        _unanswered >= AnswerAfterMessages || (_unanswered > 0 && Distance(now, _lastSentAt) >= RefreshAfter);

    /// <summary>RatchetEncryptHE of section 4.3: the whole envelope, which starts with <paramref name="prefix"/>.</summary>
    public byte[] Seal(
        ReadOnlySpan<byte> plaintext,
        ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> messageId,
        ReadOnlySpan<byte> prefix,
        DateTimeOffset now)
    {
        var chain = _sending ??= StepSending(now);
        if (chain.Sent == uint.MaxValue)
        {
            throw new EndToEndException("The sending chain is used up; start a new session.");
        }

        var headerAt = prefix.Length + EnvelopeFormat.HeaderLengthSize;
        var headerEnd = headerAt + chain.SealedHeaderSize;
        var envelope = new byte[checked(headerEnd + MessageCipher.CiphertextSize(plaintext.Length) + EnvelopeFormat.TagSize)];
        prefix.CopyTo(envelope);
        BinaryPrimitives.WriteUInt16BigEndian(envelope.AsSpan(prefix.Length), (ushort)chain.SealedHeaderSize);
        chain.SealHeader(_previousChainLength, envelope.AsSpan(headerAt..headerEnd));

        Span<byte> messageKey = stackalloc byte[RatchetKdf.KeySize];
        chain.DeriveMessageKey(messageKey);
        MessageCipher.Seal(messageKey, plaintext, associatedData, messageId, envelope, headerEnd);
        CryptographicOperations.ZeroMemory(messageKey);
        chain.Advance();
        _sinceRefresh++;
        _unanswered = 0;
        _lastSentAt = now;
        return envelope;
    }

    /// <summary>Opens a header with the header keys of this session. False where it belongs to no chain of it.</summary>
    /// <param name="sealedHeader">The sealed header.</param>
    /// <param name="buffer">Takes what is opened; as long as the sealed header.</param>
    /// <param name="header">The header, which lies in the buffer.</param>
    /// <param name="match">Which chain it belongs to.</param>
    public bool TryOpenHeader(ReadOnlySpan<byte> sealedHeader, Span<byte> buffer, out RatchetHeader header, out ChainMatch match)
    {
        match = new ChainMatch(_receiving);
        if (_receiving is not null && _receiving.HeaderKey.TryOpen(sealedHeader, buffer, out header))
        {
            return true;
        }

        match = default;
        if (_nextReceivingHeaderKey.TryOpen(sealedHeader, buffer, out header))
        {
            return true;
        }

        foreach (var chain in _past)
        {
            if (chain.HeaderKey.TryOpen(sealedHeader, buffer, out header))
            {
                match = new ChainMatch(chain);
                return true;
            }
        }

        return false;
    }

    /// <summary>RatchetDecryptHE of section 4.3, for an envelope whose header this session opened.</summary>
    public DecryptResult Open(
        in Envelope envelope,
        in RatchetHeader header,
        ChainMatch match,
        ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> messageId,
        DateTimeOffset now,
        out byte[] plaintext)
    {
        var result = match.Known is { } chain
            ? OpenInKnownChain(chain, envelope, header, associatedData, messageId, now, out plaintext)
            : OpenInNextChain(envelope, header, associatedData, messageId, now, out plaintext);
        if (result == DecryptResult.Ok)
        {
            _sinceRefresh++;
            _unanswered++;
        }

        return result;
    }

    /// <summary>Erases the keys of passed messages that will not come any more.</summary>
    public void AgeOut(DateTimeOffset now)
    {
        var oldest = now - SkippedKeyLifetime;
        _receiving?.RemoveBefore(oldest);
        for (var i = _past.Count - 1; i >= 0; i--)
        {
            _past[i].RemoveBefore(oldest);
            if (_past[i].SkippedCount == 0)
            {
                Forget(_past[i]);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _rootKey.Dispose();
        _sending?.Dispose();
        _firstRatchet?.Dispose();
        _nextSendingHeaderKey.Dispose();
        _receiving?.Dispose();
        _nextReceivingHeaderKey.Dispose();
        foreach (var chain in _past)
        {
            chain.Dispose();
        }

        _past.Clear();
    }

    /// <inheritdoc/>
    public override string ToString() => "[redacted]";

    private static TimeSpan Distance(DateTimeOffset a, DateTimeOffset b) => (a - b).Duration();

    private DecryptResult OpenInKnownChain(
        ReceivingChain chain,
        in Envelope envelope,
        in RatchetHeader header,
        ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> messageId,
        DateTimeOffset now,
        out byte[] plaintext)
    {
        plaintext = [];
        if (chain.Find(header.MessageNumber) is { } skipped)
        {
            return OpenSkipped(chain, skipped, envelope, associatedData, messageId, out plaintext);
        }

        if (!chain.IsOpen || header.MessageNumber < chain.Next)
        {
            return DecryptResult.Duplicate;
        }

        var skip = header.MessageNumber - chain.Next;
        if (skip > ReceivingChain.MaxSkip)
        {
            return DecryptResult.TooManySkipped;
        }

        using var walk = chain.Walk((int)skip + 1);
        var result = MessageCipher.Open(walk.MessageKey((int)skip), envelope, associatedData, messageId, out plaintext);
        if (result == DecryptResult.Ok)
        {
            chain.Pass(walk, now);
            LimitSkipped();
        }

        return result;
    }

    private DecryptResult OpenSkipped(
        ReceivingChain chain,
        SkippedKey key,
        in Envelope envelope,
        ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> messageId,
        out byte[] plaintext)
    {
        var result = MessageCipher.Open(key.MessageKey.Span, envelope, associatedData, messageId, out plaintext);
        if (result == DecryptResult.Ok)
        {
            chain.Remove(key);
            if (!chain.IsOpen && chain.SkippedCount == 0)
            {
                Forget(chain);
            }
        }

        return result;
    }

    /// <summary>The first message read of a new chain: the receiving half of DHRatchetHE of section 4.3.</summary>
    private DecryptResult OpenInNextChain(
        in Envelope envelope,
        in RatchetHeader header,
        ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> messageId,
        DateTimeOffset now,
        out byte[] plaintext)
    {
        plaintext = [];
        var ownRatchet = _sending?.RatchetPrivate ?? _firstRatchet;
        var offerSeed = _sending?.OfferSeed;

        // A chain may follow only one of ours, and answers what that one offered: anything else is the peer's program at fault.
        if (ownRatchet is null || offerSeed is not null != (header.KemPartKind == KemPartKind.Ciphertext))
        {
            return DecryptResult.Malformed;
        }

        var skipInOld = _receiving is not null && header.PreviousChainLength > _receiving.Next
            ? header.PreviousChainLength - _receiving.Next
            : 0;
        var skipInNew = header.MessageNumber;
        if (skipInOld > ReceivingChain.MaxSkip || skipInNew > ReceivingChain.MaxSkip)
        {
            return DecryptResult.TooManySkipped;
        }

        using var step = StepReceiving(header, ownRatchet, offerSeed);
        if (step is null)
        {
            return DecryptResult.BadMac;
        }

        using var walk = new ChainWalk(step.ChainKey.Span, (int)skipInNew + 1);
        var result = MessageCipher.Open(walk.MessageKey((int)skipInNew), envelope, associatedData, messageId, out plaintext);
        if (result != DecryptResult.Ok)
        {
            return result;
        }

        if (header.KemPartKind == KemPartKind.Offer && !IsEncapsulationKey(header.KemPart))
        {
            CryptographicOperations.ZeroMemory(plaintext);
            plaintext = [];
            return DecryptResult.Malformed;
        }

        // What is left to compute comes first, so that the state below changes as a whole.
        using var oldWalk = _receiving?.Walk((int)skipInOld);
        if (oldWalk is not null)
        {
            Leave(_receiving!, oldWalk, now);
        }

        _receivingRatchet = header.RatchetKey.ToArray();
        _receiving = new ReceivingChain(_nextReceivingHeaderKey, step.TakeChainKey(), 0);
        _receiving.Pass(walk, now);
        _nextReceivingHeaderKey = step.TakeNextHeaderKey();
        _rootKey.Dispose();
        _rootKey = step.TakeRootKey();
        _previousChainLength = _sending?.Sent ?? 0;
        _sending?.Dispose();
        _sending = null;
        _firstRatchet?.Dispose();
        _firstRatchet = null;
        _peerOffer = header.KemPartKind == KemPartKind.Offer ? header.KemPart.ToArray() : null;
        if (header.KemPartKind == KemPartKind.Ciphertext)
        {
            Refreshed(now);
        }

        LimitSkipped();
        return DecryptResult.Ok;
    }

    private void Leave(ReceivingChain chain, ChainWalk walk, DateTimeOffset now)
    {
        chain.Close(walk, now);
        if (chain.SkippedCount == 0)
        {
            chain.Dispose();
        }
        else
        {
            _past.Add(chain);
        }
    }

    /// <summary>Section 6.4: the oldest keys are given up when there are too many.</summary>
    private void LimitSkipped()
    {
        var excess = _receiving!.SkippedCount + _past.Sum(static chain => chain.SkippedCount) - MaxSkippedTotal;
        while (_past.Count > 0 && (excess > 0 || _past.Count > MaxPastChains))
        {
            var oldest = _past[0];
            var count = _past.Count > MaxPastChains ? oldest.SkippedCount : Math.Min(excess, oldest.SkippedCount);
            oldest.RemoveOldest(count);
            excess -= count;
            if (oldest.SkippedCount == 0)
            {
                Forget(oldest);
            }
        }
    }

    private void Forget(ReceivingChain chain)
    {
        _past.Remove(chain);
        chain.Dispose();
    }
}
