using System.Buffers.Binary;

namespace KerberosMessaging.EndToEnd.Tests;

/// <summary>
/// Somebody who sees every envelope of a session and opens what follows from what he knows: by <see cref="Reference"/>, so from the
/// description alone. With all private keys he is another implementation, with those of one moment a thief.
/// </summary>
internal sealed class Observer
{
    private readonly Dictionary<string, byte[]> _x25519 = [];
    private readonly Dictionary<string, byte[]> _kemSeeds = [];
    private readonly byte[] _associatedData;
    private readonly Direction[] _directions;

    private Observer(byte[] associatedData, byte[] rootKey, Direction zero, Direction one)
    {
        _associatedData = associatedData;
        RootKey = rootKey;
        _directions = [zero, one];
    }

    public byte[] RootKey { get; private set; }

    // What the last envelope that was opened took.
    public byte[] Header { get; private set; } = [];

    public byte[] ChainKey { get; private set; } = [];

    public byte[] MessageKey { get; private set; } = [];

    public byte[] NextHeaderKey { get; private set; } = [];

    public byte[] KemSecret { get; private set; } = [];

    public bool BeganChain { get; private set; }

    /// <summary>One who knows what PQXDH gave. Direction 0 is from the initiator to the responder.</summary>
    public static Observer FromTheStart(
        byte[] associatedData, byte[] sharedKey, byte[] initiatorHeaderKey, byte[] responderHeaderKey, byte[] signedPrekey) =>
        new(
            associatedData,
            sharedKey,
            new Direction { NextHeaderKey = initiatorHeaderKey },
            new Direction { NextHeaderKey = responderHeaderKey, RatchetKey = signedPrekey });

    /// <summary>One who has stolen a session's state. Direction 0 is to the victim.</summary>
    public static Observer WithStolen(SessionView state)
    {
        var toVictim = new Direction
        {
            NextHeaderKey = state.NextReceivingHeaderKey,
            RatchetKey = state.PeerRatchetKey,
            Offered = state.PeerOffer ?? [],
        };
        foreach (var chain in state.Past.Append(state.Receiving).OfType<ReceivingView>())
        {
            var known = new Chain(chain.HeaderKey, chain.ChainKey, chain.Next);
            foreach (var key in chain.Skipped)
            {
                known.Skipped[key.MessageNumber] = key.MessageKey;
            }

            toVictim.Chains.Add(known);
        }

        var fromVictim = new Direction { NextHeaderKey = state.NextSendingHeaderKey };
        if (state.Sending is { } sending)
        {
            fromVictim.RatchetKey = sending.RatchetPublic;
            fromVictim.Offered = sending.KemPart;
            fromVictim.Chains.Add(new Chain(sending.HeaderKey, sending.ChainKey, sending.Sent));
        }

        var observer = new Observer(state.AssociatedData, state.RootKey, toVictim, fromVictim);
        observer.LearnFrom(state, withKem: true);
        return observer;
    }

    public void LearnX25519(byte[] privateKey) => _x25519[Key(Reference.X25519Public(privateKey))] = privateKey;

    public void LearnKem(byte[] seed) => _kemSeeds[Key(Reference.MlKemPublic(seed))] = seed;

    /// <summary>Takes the ratchet's private keys out of a state, and nothing else.</summary>
    public void LearnFrom(SessionView state, bool withKem)
    {
        if (state.Sending is { } sending)
        {
            LearnX25519(sending.RatchetPrivate);
            if (withKem && sending.OfferSeed is not null)
            {
                LearnKem(sending.OfferSeed);
            }
        }
    }

    /// <summary>The plaintext, or null where it does not follow from what is known.</summary>
    public byte[]? Open(int direction, byte[] envelope, byte[] messageId)
    {
        var known = _directions[direction];
        var sealedHeader = ReferenceEnvelope.Of(envelope).SealedHeader;
        foreach (var chain in known.Chains)
        {
            if (Reference.OpenHeader(chain.HeaderKey, sealedHeader) is { } header)
            {
                BeganChain = false;
                return Open(chain, header, envelope, messageId);
            }
        }

        return Reference.OpenHeader(known.NextHeaderKey, sealedHeader) is { } next ? OpenNext(direction, next, envelope, messageId) : null;
    }

    private static string Key(byte[] publicKey) => Convert.ToHexString(publicKey);

    private byte[]? OpenNext(int direction, byte[] header, byte[] envelope, byte[] messageId)
    {
        var (known, other) = (_directions[direction], _directions[1 - direction]);
        var ratchetKey = header[..32];
        byte[] agreed, kemSecret = [];
        if (_x25519.TryGetValue(Key(other.RatchetKey), out var theirs))
        {
            agreed = Reference.Agree(theirs, ratchetKey);
        }
        else if (_x25519.TryGetValue(Key(ratchetKey), out var own) && other.RatchetKey.Length > 0)
        {
            agreed = Reference.Agree(own, other.RatchetKey);
        }
        else
        {
            return null;
        }

        if (header[40] == Reference.Ciphertext)
        {
            if (!_kemSeeds.TryGetValue(Key(other.Offered), out var seed))
            {
                return null;
            }

            kemSecret = Reference.Decapsulate(seed, header[41..]);
        }

        var (rootKey, chainKey, nextHeaderKey) = Reference.StepRoot(RootKey, agreed, kemSecret);
        var chain = new Chain(known.NextHeaderKey, chainKey, 0);
        if (Open(chain, header, envelope, messageId) is not { } plaintext)
        {
            return null;
        }

        known.Chains.Add(chain);
        known.NextHeaderKey = nextHeaderKey;
        known.RatchetKey = ratchetKey;
        known.Offered = header[40] == Reference.Offer ? header[41..] : [];
        (RootKey, ChainKey, NextHeaderKey, KemSecret, BeganChain) = (rootKey, chainKey, nextHeaderKey, kemSecret, true);
        return plaintext;
    }

    private byte[]? Open(Chain chain, byte[] header, byte[] envelope, byte[] messageId)
    {
        var number = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(36));
        while (chain.ChainKey is not null && chain.Next <= number)
        {
            (chain.Skipped[chain.Next++], chain.ChainKey) = Reference.StepChain(chain.ChainKey);
        }

        if (!chain.Skipped.TryGetValue(number, out var messageKey)
            || Reference.Open(messageKey, _associatedData, messageId, envelope) is not { } plaintext)
        {
            return null;
        }

        (Header, MessageKey) = (header, messageKey);
        return plaintext;
    }

    private sealed class Chain(byte[] headerKey, byte[]? chainKey, uint next)
    {
        public byte[] HeaderKey { get; } = headerKey;

        public byte[]? ChainKey { get; set; } = chainKey;

        public uint Next { get; set; } = next;

        public Dictionary<uint, byte[]> Skipped { get; } = [];
    }

    private sealed class Direction
    {
        public List<Chain> Chains { get; } = [];

        public byte[] NextHeaderKey { get; set; } = [];

        public byte[] RatchetKey { get; set; } = [];

        public byte[] Offered { get; set; } = [];
    }
}
