using System.Buffers.Binary;

namespace KerberosMessaging.EndToEnd.Tests;

/// <summary>
/// The stored form of <see cref="PeerSessions"/> taken apart by its description: what somebody sees who stole it.
/// </summary>
internal sealed class StateView
{
    private readonly byte[] _bytes;
    private int _at;

    private StateView(byte[] state)
    {
        _bytes = state;
        Assert.Equal(2, Byte());
        var count = Byte();
        for (var i = 0; i < count; i++)
        {
            Sessions.Add(Session());
        }

        Retired = UInt16();
        Bytes(36 * Retired);
        Assert.Equal(_bytes.Length, _at);
    }

    public List<SessionView> Sessions { get; } = [];

    /// <summary>How many sessions are remembered as over.</summary>
    public int Retired { get; }

    public static StateView Of(byte[] state) => new(state);

    /// <summary>The session that sends.</summary>
    public static SessionView Active(byte[] state) => Of(state).Sessions[0];

    private SessionView Session()
    {
        var start = _at;
        var isInitiator = Flag();
        var baseKey = Bytes(32);
        var signedPrekeyId = UInt32();
        var associatedData = Bytes(263);
        var prekeyHeader = Array.Empty<byte>();
        if (Flag())
        {
            prekeyHeader = Bytes(1199);
            prekeyHeader = [.. prekeyHeader, .. Bytes(BinaryPrimitives.ReadUInt16BigEndian(prekeyHeader.AsSpan(1197)))];
        }

        var rootKey = Bytes(32);
        var sending = Flag() ? Sending() : null;
        var nextSendingHeaderKey = Bytes(64);
        var previousChainLength = UInt32();
        var peerRatchetKey = Bytes(32);
        var receiving = Flag() ? Receiving() : null;
        var nextReceivingHeaderKey = Bytes(64);
        var past = Enumerable.Range(0, UInt16()).Select(_ => Receiving()).ToArray();
        var peerOffer = Flag() ? Bytes(1184) : null;
        return new SessionView(
            isInitiator,
            baseKey,
            signedPrekeyId,
            associatedData,
            prekeyHeader,
            rootKey,
            sending,
            nextSendingHeaderKey,
            previousChainLength,
            peerRatchetKey,
            receiving,
            nextReceivingHeaderKey,
            past,
            peerOffer,
            SinceRefresh: UInt32(),
            RefreshedAt: Time(),
            Unanswered: UInt32(),
            LastSentAt: Time(),
            Bytes: _bytes[start.._at]);
    }

    private SendingView Sending()
    {
        var (ratchetPrivate, ratchetPublic, chainKey, headerKey, sent, kind) =
            (Bytes(32), Bytes(32), Bytes(32), Bytes(64), UInt32(), Byte());
        var kemPart = Bytes(kind switch { 1 => 1184, 2 => 1088, _ => 0 });
        return new SendingView(
            ratchetPrivate, ratchetPublic, chainKey, headerKey, sent, kind, kemPart, OfferSeed: kind == 1 ? Bytes(64) : null);
    }

    private ReceivingView Receiving()
    {
        var headerKey = Bytes(64);
        var chainKey = Flag() ? Bytes(32) : null;
        var next = UInt32();
        var skipped = Enumerable.Range(0, UInt16()).Select(_ => new SkippedView(UInt32(), Time(), Bytes(32))).ToArray();
        return new ReceivingView(headerKey, chainKey, next, skipped);
    }

    private byte[] Bytes(int count)
    {
        _at += count;
        return _bytes[(_at - count).._at];
    }

    private byte Byte() => Bytes(1)[0];

    private bool Flag() => Byte() == 1;

    private ushort UInt16() => BinaryPrimitives.ReadUInt16BigEndian(Bytes(2));

    private uint UInt32() => BinaryPrimitives.ReadUInt32BigEndian(Bytes(4));

    private DateTimeOffset Time() => DateTimeOffset.FromUnixTimeSeconds(BinaryPrimitives.ReadInt64BigEndian(Bytes(8)));
}

internal sealed record SessionView(
    bool IsInitiator,
    byte[] BaseKey,
    uint SignedPrekeyId,
    byte[] AssociatedData,
    byte[] PrekeyHeader,
    byte[] RootKey,
    SendingView? Sending,
    byte[] NextSendingHeaderKey,
    uint PreviousChainLength,
    byte[] PeerRatchetKey,
    ReceivingView? Receiving,
    byte[] NextReceivingHeaderKey,
    ReceivingView[] Past,
    byte[]? PeerOffer,
    uint SinceRefresh,
    DateTimeOffset RefreshedAt,
    uint Unanswered,
    DateTimeOffset LastSentAt,
    byte[] Bytes)
{
    public int SkippedCount => (Receiving?.Skipped.Length ?? 0) + Past.Sum(chain => chain.Skipped.Length);
}

internal sealed record SendingView(
    byte[] RatchetPrivate,
    byte[] RatchetPublic,
    byte[] ChainKey,
    byte[] HeaderKey,
    uint Sent,
    byte KemPartKind,
    byte[] KemPart,
    byte[]? OfferSeed);

internal sealed record ReceivingView(byte[] HeaderKey, byte[]? ChainKey, uint Next, SkippedView[] Skipped);

internal sealed record SkippedView(uint MessageNumber, DateTimeOffset Since, byte[] MessageKey);
