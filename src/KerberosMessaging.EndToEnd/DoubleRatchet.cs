using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// The Double Ratchet, section 3, for one session. Opening a message computes everything beside the state and changes the state
/// only after the message proved authentic.
/// </summary>
internal sealed partial class DoubleRatchet : IDisposable
{
    private readonly SkippedKeys _skipped = new();
    private readonly FinishedChains _finished = new();

    private SecretBytes _rootKey;               // RK
    private X25519PrivateKey _sendingRatchet;   // DHs
    private SecretBytes? _sendingChain;         // CKs; null in a responder that has read nothing yet
    private byte[]? _receivingRatchet;          // DHr; null like the sending chain
    private SecretBytes? _receivingChain;       // CKr; null until the first message is read
    private uint _sent;                         // Ns
    private uint _received;                     // Nr
    private uint _previousChainLength;          // PN

    private DoubleRatchet(SecretBytes rootKey, X25519PrivateKey sendingRatchet)
    {
        _rootKey = rootKey;
        _sendingRatchet = sendingRatchet;
    }

    /// <summary>Whether a message of the peer was read.</summary>
    public bool HasRead => _receivingChain is not null;

    /// <summary>RatchetInitAlice of section 3.3; the peer's first ratchet key is its signed prekey (section 5.1).</summary>
    public static bool TryInitiate(
        SecretBytes sharedKey,
        ReadOnlySpan<byte> peerSignedPrekey,
        [NotNullWhen(true)] out DoubleRatchet? ratchet)
    {
        ratchet = null;
        using var agreed = new SecretBytes(X25519PrivateKey.Size);
        var sendingRatchet = X25519PrivateKey.Generate();
        if (!sendingRatchet.TryAgree(peerSignedPrekey, agreed.Span))
        {
            sendingRatchet.Dispose();
            return false;
        }

        var rootKey = new SecretBytes(RatchetKdf.KeySize);
        var chainKey = new SecretBytes(RatchetKdf.KeySize);
        RatchetKdf.StepRoot(sharedKey.Span, agreed.Span, rootKey.Span, chainKey.Span);
        ratchet = new DoubleRatchet(rootKey, sendingRatchet)
        {
            _sendingChain = chainKey,
            _receivingRatchet = peerSignedPrekey.ToArray(),
        };
        return true;
    }

    /// <summary>RatchetInitBob of section 3.3. It can send only after it has opened the first message.</summary>
    public static DoubleRatchet Respond(SecretBytes sharedKey, X25519PrivateKey signedPrekey)
    {
        using var copied = signedPrekey.Export();
        return new DoubleRatchet(sharedKey.Clone(), X25519PrivateKey.FromBytes(copied.Span));
    }

    /// <summary>Whether a ratchet public key belongs to a chain of this session, so that no other session need be tried.</summary>
    public bool KnowsChain(ReadOnlySpan<byte> ratchetKey) =>
        (_receivingChain is not null && ratchetKey.SequenceEqual(_receivingRatchet))
        || _finished.Contains(ratchetKey)
        || _skipped.HasChain(ratchetKey);

    /// <summary>RatchetEncrypt of section 3.4: the whole envelope, which starts with <paramref name="prefix"/>.</summary>
    public byte[] Seal(ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> prefix)
    {
        if (_sendingChain is null)
        {
            throw new InvalidOperationException("A responder sends only after it has read the first message.");
        }

        if (_sent == uint.MaxValue)
        {
            throw new EndToEndException("The sending chain is used up; start a new session.");
        }

        var headerSize = prefix.Length + EnvelopeFormat.RatchetHeaderSize;
        var envelope = new byte[checked(headerSize + MessageCipher.CiphertextSize(plaintext.Length) + EnvelopeFormat.TagSize)];
        prefix.CopyTo(envelope);
        Envelope.WriteRatchetHeader(
            envelope.AsSpan(prefix.Length),
            _sendingRatchet.PublicKey.Span,
            _previousChainLength,
            _sent);

        using var messageKey = new SecretBytes(RatchetKdf.KeySize);
        var nextChain = new SecretBytes(RatchetKdf.KeySize);
        RatchetKdf.StepChain(_sendingChain.Span, messageKey.Span, nextChain.Span);
        MessageCipher.Seal(messageKey, plaintext, associatedData, envelope, headerSize);
        Replace(ref _sendingChain, nextChain);
        _sent++;
        return envelope;
    }

    /// <summary>RatchetDecrypt of section 3.5.</summary>
    public DecryptResult Open(in Envelope envelope, ReadOnlySpan<byte> associatedData, out byte[] plaintext)
    {
        plaintext = [];
        var ratchetKey = envelope.RatchetKey;
        if (_skipped.Find(ratchetKey, envelope.MessageNumber) is { } skipped)
        {
            var result = MessageCipher.Open(skipped.MessageKey, envelope, associatedData, out plaintext);
            if (result == DecryptResult.Ok)
            {
                _skipped.Remove(skipped);
            }

            return result;
        }

        if (_finished.Contains(ratchetKey))
        {
            return DecryptResult.Duplicate;
        }

        return ratchetKey.SequenceEqual(_receivingRatchet)
            ? OpenInCurrentChain(envelope, associatedData, out plaintext)
            : OpenInNewChain(envelope, associatedData, out plaintext);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _rootKey.Dispose();
        _sendingRatchet.Dispose();
        _sendingChain?.Dispose();
        _receivingChain?.Dispose();
        _skipped.Dispose();
    }

    /// <inheritdoc/>
    public override string ToString() => "[redacted]";

    private static void Replace([NotNull] ref SecretBytes? current, SecretBytes next)
    {
        current?.Dispose();
        current = next;
    }

    private DecryptResult OpenInCurrentChain(in Envelope envelope, ReadOnlySpan<byte> associatedData, out byte[] plaintext)
    {
        plaintext = [];
        if (_receivingChain is null)
        {
            // The peer never sends under its signed prekey: it makes a new ratchet key before its first answer.
            return DecryptResult.BadMac;
        }

        if (envelope.MessageNumber < _received)
        {
            return DecryptResult.Duplicate;
        }

        var skip = envelope.MessageNumber - _received;
        if (skip > SkippedKeys.MaxSkip)
        {
            return DecryptResult.TooManySkipped;
        }

        using var walk = ChainWalk.Take((int)skip + 1, _receivingChain);
        var result = MessageCipher.Open(walk.LastMessageKey, envelope, associatedData, out plaintext);
        if (result == DecryptResult.Ok)
        {
            _skipped.Add(_receivingRatchet!, _received, walk.RemoveMessageKeys((int)skip));
            Replace(ref _receivingChain, walk.CopyChainKey());
            _received = envelope.MessageNumber + 1;
        }

        return result;
    }

    /// <summary>A ratchet key not seen before: the DH ratchet step of section 3.5.</summary>
    private DecryptResult OpenInNewChain(in Envelope envelope, ReadOnlySpan<byte> associatedData, out byte[] plaintext)
    {
        plaintext = [];
        var skipInOld = _receivingChain is not null && envelope.PreviousChainLength > _received
            ? envelope.PreviousChainLength - _received
            : 0;
        var skipInNew = envelope.MessageNumber;
        if (skipInOld > SkippedKeys.MaxSkip || skipInNew > SkippedKeys.MaxSkip)
        {
            return DecryptResult.TooManySkipped;
        }

        using var agreed = new SecretBytes(X25519PrivateKey.Size);
        if (!_sendingRatchet.TryAgree(envelope.RatchetKey, agreed.Span))
        {
            return DecryptResult.BadMac;
        }

        using var middleRootKey = new SecretBytes(RatchetKdf.KeySize);
        using var receivingChain = new SecretBytes(RatchetKdf.KeySize);
        RatchetKdf.StepRoot(_rootKey.Span, agreed.Span, middleRootKey.Span, receivingChain.Span);
        using var walk = ChainWalk.Take((int)skipInNew + 1, receivingChain);
        var result = MessageCipher.Open(walk.LastMessageKey, envelope, associatedData, out plaintext);
        if (result == DecryptResult.Ok)
        {
            // What is left to compute comes first, so that the state below changes as a whole.
            using var oldWalk = _receivingChain is null ? null : ChainWalk.Take((int)skipInOld, _receivingChain);
            StepSendingRatchet(envelope.RatchetKey, middleRootKey);
            if (oldWalk is not null)
            {
                _skipped.Add(_receivingRatchet!, _received, oldWalk.RemoveMessageKeys((int)skipInOld));
                _finished.Add(_receivingRatchet!);
            }

            _receivingRatchet = envelope.RatchetKey.ToArray();
            _skipped.Add(_receivingRatchet, 0, walk.RemoveMessageKeys((int)skipInNew));
            Replace(ref _receivingChain, walk.CopyChainKey());
            _received = envelope.MessageNumber + 1;
        }

        return result;
    }

    private void StepSendingRatchet(ReadOnlySpan<byte> peerRatchetKey, SecretBytes middleRootKey)
    {
        using var agreed = new SecretBytes(X25519PrivateKey.Size);
        var nextRatchet = X25519PrivateKey.Generate();

        // The agreement with the old ratchet key has just succeeded, so the peer's key is not one of the few that
        // agree with nothing, and it agrees with every other private key too.
        if (!nextRatchet.TryAgree(peerRatchetKey, agreed.Span))
        {
            throw new UnreachableException();
        }

        var rootKey = new SecretBytes(RatchetKdf.KeySize);
        var sendingChain = new SecretBytes(RatchetKdf.KeySize);
        RatchetKdf.StepRoot(middleRootKey.Span, agreed.Span, rootKey.Span, sendingChain.Span);
        _rootKey.Dispose();
        _rootKey = rootKey;
        _sendingRatchet.Dispose();
        _sendingRatchet = nextRatchet;
        Replace(ref _sendingChain, sendingChain);
        _previousChainLength = _sent;
        _sent = 0;
    }
}
