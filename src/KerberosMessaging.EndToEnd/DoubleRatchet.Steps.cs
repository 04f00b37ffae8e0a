using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <content>The two halves of a step of the root chain, and the ML-KEM-768 exchange that some of them take in.</content>
internal sealed partial class DoubleRatchet
{
    private RootStep? StepReceiving(in RatchetHeader header, SecretBytes ownRatchet, SecretBytes? offerSeed)
    {
        using var ratchet = X25519PrivateKey.FromBytes(ownRatchet.Span);
        using var agreed = new SecretBytes(X25519PrivateKey.Size);
        if (!ratchet.TryAgree(header.RatchetKey, agreed.Span))
        {
            return null;
        }

        if (offerSeed is null)
        {
            return RatchetKdf.StepRoot(_rootKey, agreed.Span, []);
        }

        using var offered = MlKem768PrivateKey.FromSeed(offerSeed.Span);
        using var kemSecret = new SecretBytes(MlKem768.SharedSecretSize);
        return offered.TryDecapsulate(header.KemPart, kemSecret.Span)
            ? RatchetKdf.StepRoot(_rootKey, agreed.Span, kemSecret.Span)
            : null;
    }

    /// <summary>The sending half of DHRatchetHE of section 4.3.</summary>
    private SendingChain StepSending(DateTimeOffset now)
    {
        if (_receivingRatchet is null)
        {
            throw new InvalidOperationException("A responder sends only after it has read the first message.");
        }

        using var ownRatchet = X25519PrivateKey.Generate();
        using var agreed = new SecretBytes(X25519PrivateKey.Size);
        using var kemSecret = new SecretBytes(_peerOffer is null ? 0 : MlKem768.SharedSecretSize);
        var kemPart = new byte[_peerOffer is null ? 0 : MlKem768.CiphertextSize];

        // Both keys of the peer did their work when its chain was first read: since then the stored state was damaged.
        if (!ownRatchet.TryAgree(_receivingRatchet, agreed.Span)
            || (_peerOffer is not null && !MlKem768.TryEncapsulate(_peerOffer, kemPart, kemSecret.Span)))
        {
            throw StateReader.Refused();
        }

        var kemPartKind = _peerOffer is null ? KemPartKind.None : KemPartKind.Ciphertext;
        SecretBytes? offerSeed = null;
        if (kemPartKind == KemPartKind.Ciphertext)
        {
            Refreshed(now);
        }
        else if (_sinceRefresh >= RefreshAfterMessages || Distance(now, _refreshedAt) >= RefreshAfter)
        {
            using var offered = MlKem768PrivateKey.Generate();
            (kemPartKind, kemPart, offerSeed) = (KemPartKind.Offer, offered.PublicKey.ToArray(), offered.ExportSeed());
        }

        using var step = RatchetKdf.StepRoot(_rootKey, agreed.Span, kemSecret.Span);
        _rootKey.Dispose();
        _rootKey = step.TakeRootKey();
        _peerOffer = null;
        var chain = new SendingChain(
            ownRatchet.Export(), ownRatchet.PublicKey.ToArray(), step.TakeChainKey(), _nextSendingHeaderKey, kemPartKind, kemPart, offerSeed);
        _nextSendingHeaderKey = step.TakeNextHeaderKey();
        return chain;
    }

    private void Refreshed(DateTimeOffset now)
    {
        _sinceRefresh = 0;
        _refreshedAt = now;
    }

    // Encapsulation checks the key (FIPS 203, section 7.2); the secret made here serves nothing.
    private static bool IsEncapsulationKey(ReadOnlySpan<byte> key)
    {
        using var secret = new SecretBytes(MlKem768.SharedSecretSize);
        return MlKem768.TryEncapsulate(key, new byte[MlKem768.CiphertextSize], secret.Span);
    }
}
