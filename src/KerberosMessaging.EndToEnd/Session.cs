using System.Diagnostics.CodeAnalysis;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// One session of a device record (Sesame, section 3): a ratchet with the key agreement it came from. The base key,
/// EK_A of PQXDH, tells sessions apart.
/// <code>
///  0         1          33              37                    300           301
///  +---------+----------+---------------+---------------------+-------------+- - - - - - - - - -+- - - - - -+
///  | role    | base key | signed prekey | associated data     | has prekey  | prekey header     | ratchet   |
///  | (1)     | (32)     | id (4)        | (263)               | header (1)  | if it has one     | state     |
///  +---------+----------+---------------+---------------------+-------------+- - - - - - - - - -+- - - - - -+
///  role: 1 initiator, 0 responder. The prekey header says its own length; see EnvelopeFormat.
/// </code>
/// </summary>
internal sealed class Session : IDisposable, IExported
{
    private static readonly byte[] RatchetPrefix = [EnvelopeFormat.Version, (byte)EnvelopeKind.Ratchet];

    private readonly byte[] _associatedData;
    private readonly DoubleRatchet _ratchet;

    /// <summary>Put in front of every message until the peer has answered (PQXDH, section 3.3; Sesame, section 5.2).</summary>
    private byte[]? _prekeyHeader;

    private Session(
        bool isInitiator,
        byte[] baseKey,
        uint signedPrekeyId,
        byte[] associatedData,
        byte[]? prekeyHeader,
        DoubleRatchet ratchet)
    {
        IsInitiator = isInitiator;
        BaseKey = baseKey;
        SignedPrekeyId = signedPrekeyId;
        _associatedData = associatedData;
        _prekeyHeader = prekeyHeader;
        _ratchet = ratchet;
    }

    public bool IsInitiator { get; }

    public byte[] BaseKey { get; }

    /// <summary>The responder's number for its signed prekey.</summary>
    public uint SignedPrekeyId { get; }

    public static bool TryInitiate(
        DeviceIdentity self,
        ReadOnlySpan<byte> credentials,
        PublicDeviceIdentity peer,
        PrekeyBundle bundle,
        OneTimePublicPrekey? oneTimePrekey,
        OneTimePublicPrekey? oneTimeKemPrekey,
        DateTimeOffset now,
        [NotNullWhen(true)] out Session? session)
    {
        session = null;
        using var ephemeral = X25519PrivateKey.Generate();
        var kemCiphertext = new byte[MlKem768.CiphertextSize];
        if (!Pqxdh.TryInitiate(
            self,
            ephemeral,
            peer,
            bundle.SignedPrekey.Span,
            oneTimePrekey is null ? [] : oneTimePrekey.Key.Span,
            oneTimeKemPrekey is null ? bundle.KemPrekey.Span : oneTimeKemPrekey.KemKey,
            kemCiphertext,
            out var agreement))
        {
            return false;
        }

        using (agreement)
        {
            if (!DoubleRatchet.TryInitiate(agreement, bundle.SignedPrekey.Span, now, out var ratchet))
            {
                return false;
            }

            var ids = new PrekeyIds(
                bundle.SignedPrekeyId,
                oneTimePrekey?.Id ?? 0,
                oneTimeKemPrekey is null ? KemPrekeyKind.LastResort : KemPrekeyKind.OneTime,
                oneTimeKemPrekey?.Id ?? bundle.KemPrekeyId);
            var baseKey = ephemeral.PublicKey.ToArray();
            var prekeyHeader = PrekeyHeader.Write(self.Public, ids, baseKey, kemCiphertext, credentials);
            session = new Session(true, baseKey, bundle.SignedPrekeyId, agreement.AssociatedData, prekeyHeader, ratchet);
            return true;
        }
    }

    public static bool TryRespond(
        DeviceIdentity self,
        PrekeySecrets prekeys,
        PublicDeviceIdentity peer,
        PrekeyHeader header,
        DateTimeOffset now,
        [NotNullWhen(true)] out Session? session)
    {
        session = null;
        if (!Pqxdh.TryRespond(self, prekeys, peer, header, out var agreement))
        {
            return false;
        }

        using (agreement)
        {
            session = new Session(
                false,
                header.BaseKey.ToArray(),
                header.PrekeyIds.SignedPrekey,
                agreement.AssociatedData,
                prekeyHeader: null,
                DoubleRatchet.Respond(agreement, prekeys.SignedPrekey, now));
            return true;
        }
    }

    public static Session Read(ref StateReader reader)
    {
        var isInitiator = reader.ReadFlag();
        var baseKey = reader.ReadBytes(X25519PrivateKey.Size).ToArray();
        var signedPrekeyId = reader.ReadUInt32();
        var associatedData = reader.ReadBytes(Pqxdh.AssociatedDataSize).ToArray();
        var prekeyHeader = reader.ReadFlag() ? reader.ReadPrekeyHeader() : null;
        var ratchet = DoubleRatchet.Read(ref reader);

        // Only an initiator has to introduce itself, and only as long as it has read nothing.
        if ((prekeyHeader is null) != ratchet.HasRead
            || (prekeyHeader is not null && !isInitiator)
            || !associatedData.AsSpan().StartsWith(Labels.AssociatedData))
        {
            ratchet.Dispose();
            throw StateReader.Refused();
        }

        return new Session(isInitiator, baseKey, signedPrekeyId, associatedData, prekeyHeader, ratchet);
    }

    public void Write(ref StateWriter writer)
    {
        writer.WriteFlag(IsInitiator);
        writer.WriteBytes(BaseKey);
        writer.WriteUInt32(SignedPrekeyId);
        writer.WriteBytes(_associatedData);
        writer.WriteFlag(_prekeyHeader is not null);
        writer.WriteBytes(_prekeyHeader);
        _ratchet.Write(ref writer);
    }

    /// <summary>
    /// Whether this session is between these two devices. A device that enrolled anew has another identity, and what its old
    /// sessions read must not be taken for a message of the new one.
    /// </summary>
    public bool IsBetween(PublicDeviceIdentity self, PublicDeviceIdentity peer) =>
        IsInitiator
            ? Pqxdh.NamesIdentities(_associatedData, initiator: self, responder: peer)
            : Pqxdh.NamesIdentities(_associatedData, initiator: peer, responder: self);

    public bool WantsAnswer(DateTimeOffset now) => _ratchet.WantsAnswer(now);

    public byte[] Seal(ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> messageId, DateTimeOffset now) => _ratchet.Seal(
        plaintext,
        _associatedData,
        messageId,
        _prekeyHeader is null ? RatchetPrefix : [EnvelopeFormat.Version, (byte)EnvelopeKind.Prekey, .. _prekeyHeader],
        now);

    /// <inheritdoc cref="DoubleRatchet.TryOpenHeader"/>
    public bool TryOpenHeader(ReadOnlySpan<byte> sealedHeader, Span<byte> buffer, out RatchetHeader header, out ChainMatch match) =>
        _ratchet.TryOpenHeader(sealedHeader, buffer, out header, out match);

    public DecryptResult Open(
        in Envelope envelope,
        in RatchetHeader header,
        ChainMatch match,
        ReadOnlySpan<byte> messageId,
        DateTimeOffset now,
        out byte[] plaintext)
    {
        var result = _ratchet.Open(envelope, header, match, _associatedData, messageId, now, out plaintext);
        if (result == DecryptResult.Ok)
        {
            // The peer has the session: it has just used it.
            _prekeyHeader = null;
        }

        return result;
    }

    /// <inheritdoc cref="DoubleRatchet.AgeOut"/>
    public void AgeOut(DateTimeOffset now) => _ratchet.AgeOut(now);

    public void Dispose() => _ratchet.Dispose();

    public override string ToString() => "[redacted]";
}
