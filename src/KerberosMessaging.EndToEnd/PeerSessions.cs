namespace KerberosMessaging.EndToEnd;

/// <summary>
/// All sessions with one remote device: the device record of Sesame, section 3. The first session is the active one, which sends; a
/// session that reads a message becomes the first, so that both devices settle on the same one even if both started
/// one at the same time. At most <see cref="MaxSessions"/> are kept; the one unused for longest is dropped.
/// <para>A session starts by PQXDH and goes on by the Double Ratchet:</para>
/// <code>
/// DH1 = X25519(IK_A, SPK_B)   DH2 = X25519(EK_A, IK_B)   DH3 = X25519(EK_A, SPK_B)   SS = ML-KEM-768 shared secret
/// SK  = HKDF-SHA-512(salt = 64 zero bytes, ikm = 32 bytes 0xFF || DH1 || DH2 || DH3 || SS,
///                    info = "kmsg/25 PQXDH X25519 SHA-512 ML-KEM-768", 32 bytes)
/// AD  = "kmsg/25" || identity of A (64) || identity of B (64)
///       || SHA-512(KEM prekey of B) || SHA-512(KEM ciphertext)                                    263 bytes
/// KDF_RK(rk, dh) = HKDF-SHA-256(salt = rk, ikm = dh, info = "kmsg/25 ratchet root", 64 bytes) → rk' || ck
/// KDF_CK(ck)     = message key HMAC-SHA-256(ck, 0x01), next chain key HMAC-SHA-256(ck, 0x02)
/// message key    → HKDF-SHA-256(salt = 32 zero bytes, ikm = message key, info = "kmsg/25 message key", 80 bytes)
///                → encryption key (32) || authentication key (32) || IV (16)
/// ciphertext     = AES-256-CBC with PKCS#7;  tag = HMAC-SHA-256(authentication key, AD || envelope before the tag)
/// </code>
/// <para>
/// SK is the first root key. The responder's first ratchet key pair is its signed prekey; the initiator makes a ratchet key pair, sends
/// under KDF_RK(SK, DH(own ratchet key, SPK_B)), and puts the prekey header in front of every message until it has
/// read one of the peer (Double Ratchet, sections 3.3 and 5.1). The envelope is described at <see cref="EnvelopeFormat"/>.
/// </para>
/// <para>
/// State in, state out: export and store the state after every <see cref="Encrypt"/> before the envelope is sent, and
/// after every successful <see cref="Decrypt"/> before the message is acknowledged. Not safe for use by several threads at once.
/// </para>
/// </summary>
public sealed partial class PeerSessions : IDisposable
{
    /// <summary>The most sessions kept with one device.</summary>
    public const int MaxSessions = 5;

    private readonly List<Session> _sessions = [];
    private readonly RetiredSessions _retired = new();

    private PeerSessions()
    {
    }

    /// <summary>Whether there is a session to send in.</summary>
    public bool HasSession => _sessions.Count > 0;

    /// <summary>Creates a record without sessions.</summary>
    /// <returns>The record; the caller disposes it.</returns>
    public static PeerSessions Create() => new();

    /// <summary>
    /// Starts a session as the initiator of PQXDH (section 3.3), which becomes the active one. The older sessions stay readable.
    /// </summary>
    /// <param name="self">This device's identity.</param>
    /// <param name="selfCertificate">
    /// This device's certificate, at most <see cref="EnvelopeFormat.MaxCertificateSize"/> bytes; it travels with every
    /// message until the peer has answered.
    /// </param>
    /// <param name="peer">The peer device's identity, already verified by its certificate.</param>
    /// <param name="bundle">The peer device's prekeys.</param>
    /// <exception cref="EndToEndException">
    /// The bundle is not signed by the peer, or one of the peer's keys is one that no agreement is possible with, or the
    /// peer is this device itself.
    /// </exception>
    /// <exception cref="ArgumentException">The certificate is too long.</exception>
    public void StartSession(
        DeviceIdentity self,
        ReadOnlySpan<byte> selfCertificate,
        PublicDeviceIdentity peer,
        PrekeyBundle bundle)
    {
        ArgumentNullException.ThrowIfNull(self);
        ArgumentNullException.ThrowIfNull(peer);
        ArgumentNullException.ThrowIfNull(bundle);
        if (selfCertificate.Length > EnvelopeFormat.MaxCertificateSize)
        {
            throw new ArgumentException("The certificate does not fit into an envelope.", nameof(selfCertificate));
        }

        // With one identity on both sides the two roles could not be told apart, and reflected messages would be read.
        if (peer.Equals(self.Public))
        {
            throw new EndToEndException("A device has no session with itself.");
        }

        if (!bundle.IsSignedBy(peer))
        {
            throw new EndToEndException("The prekeys are not signed by the device they are said to belong to.");
        }

        if (!Session.TryInitiate(self, selfCertificate, peer, bundle, out var session))
        {
            throw new EndToEndException("One of the peer's public keys cannot be used.");
        }

        PutFirst(session);
    }

    /// <summary>
    /// Encrypts a message in the active session (Double Ratchet, section 3.4). The envelope is a prekey envelope until a
    /// message of the peer was read in this session, then a ratchet envelope.
    /// </summary>
    /// <param name="plaintext">The message.</param>
    /// <returns>The envelope.</returns>
    /// <exception cref="InvalidOperationException">There is no session.</exception>
    /// <exception cref="EndToEndException">The session's sending chain is used up.</exception>
    public byte[] Encrypt(ReadOnlySpan<byte> plaintext) =>
        HasSession ? _sessions[0].Seal(plaintext) : throw new InvalidOperationException("There is no session.");

    /// <summary>
    /// Reads an envelope (Sesame, section 3; PQXDH, section 3.4; Double Ratchet, section 3.5). A prekey envelope with a new base
    /// key makes a new session, any other is read in the session it belongs to. Unless the result is
    /// <see cref="DecryptResult.Ok"/>, the state is exactly as before.
    /// </summary>
    /// <param name="self">This device's identity.</param>
    /// <param name="prekeys">This device's prekeys.</param>
    /// <param name="peer">The peer device's identity, already verified by its certificate.</param>
    /// <param name="envelope">The envelope.</param>
    /// <param name="plaintext">The message; empty unless the result is <see cref="DecryptResult.Ok"/>.</param>
    /// <returns>What became of it. Nothing in an envelope makes this method throw.</returns>
    public DecryptResult Decrypt(
        DeviceIdentity self,
        DevicePrekeys prekeys,
        PublicDeviceIdentity peer,
        ReadOnlySpan<byte> envelope,
        out byte[] plaintext)
    {
        ArgumentNullException.ThrowIfNull(self);
        ArgumentNullException.ThrowIfNull(prekeys);
        ArgumentNullException.ThrowIfNull(peer);
        plaintext = [];
        if (!Envelope.TryParse(envelope, out var parsed))
        {
            return DecryptResult.Malformed;
        }

        return parsed.Kind == EnvelopeKind.Prekey
            ? OpenPrekeyEnvelope(self, prekeys, peer, parsed, out plaintext)
            : OpenRatchetEnvelope(self, peer, parsed, out plaintext);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var session in _sessions)
        {
            session.Dispose();
        }

        _sessions.Clear();
    }

    /// <inheritdoc/>
    public override string ToString() => "[redacted]";

    private DecryptResult OpenPrekeyEnvelope(
        DeviceIdentity self,
        DevicePrekeys prekeys,
        PublicDeviceIdentity peer,
        in Envelope envelope,
        out byte[] plaintext)
    {
        plaintext = [];
        var header = envelope.PrekeyHeader;
        if (!header.SenderIdentity.SequenceEqual(peer.Bytes) || peer.Equals(self.Public))
        {
            return DecryptResult.WrongIdentity;
        }

        foreach (var known in _sessions)
        {
            if (!known.IsInitiator && header.BaseKey.SequenceEqual(known.BaseKey))
            {
                return known.IsBetween(self.Public, peer)
                    ? OpenIn(known, envelope, out plaintext)
                    : DecryptResult.WrongIdentity;
            }
        }

        return _retired.Contains(header.BaseKey)
            ? DecryptResult.NoSession
            : Accept(self, prekeys, peer, envelope, out plaintext);
    }

    private DecryptResult Accept(
        DeviceIdentity self,
        DevicePrekeys prekeys,
        PublicDeviceIdentity peer,
        in Envelope envelope,
        out byte[] plaintext)
    {
        plaintext = [];
        var header = envelope.PrekeyHeader;
        if (!prekeys.TryFindSignedPrekey(header.SignedPrekeyId, out var signedPrekey)
            || !prekeys.TryFindKemPrekey(header.KemPrekeyId, out var kemPrekey))
        {
            return DecryptResult.UnknownPrekey;
        }

        if (!Session.TryRespond(self, signedPrekey, kemPrekey, peer, header, out var session))
        {
            return DecryptResult.BadMac;
        }

        var result = session.Open(envelope, out plaintext);
        if (result != DecryptResult.Ok)
        {
            session.Dispose();
            return result;
        }

        PutFirst(session);
        _retired.ForgetUnreadable(prekeys);
        return DecryptResult.Ok;
    }

    private DecryptResult OpenRatchetEnvelope(
        DeviceIdentity self,
        PublicDeviceIdentity peer,
        in Envelope envelope,
        out byte[] plaintext)
    {
        plaintext = [];
        if (!HasSession)
        {
            return DecryptResult.NoSession;
        }

        var result = DecryptResult.WrongIdentity;
        foreach (var session in _sessions)
        {
            if (!session.IsBetween(self.Public, peer))
            {
                continue;
            }

            // A ratchet key belongs to one session alone: where it is known, that session's answer is final.
            if (session.KnowsChain(envelope.RatchetKey))
            {
                return OpenIn(session, envelope, out plaintext);
            }

            var attempt = OpenIn(session, envelope, out plaintext);
            if (attempt is DecryptResult.Ok or DecryptResult.Malformed)
            {
                return attempt;
            }

            // A session that had to pass over too many keys to be sure may be the right one; a bad tag is certain.
            result = result == DecryptResult.TooManySkipped ? result : attempt;
        }

        return result;
    }

    private DecryptResult OpenIn(Session session, in Envelope envelope, out byte[] plaintext)
    {
        var result = session.Open(envelope, out plaintext);
        if (result == DecryptResult.Ok)
        {
            // Sesame, section 3: the session that the peer used last becomes the active one.
            _sessions.Remove(session);
            _sessions.Insert(0, session);
        }

        return result;
    }

    private void PutFirst(Session session)
    {
        _sessions.Insert(0, session);
        if (_sessions.Count > MaxSessions)
        {
            var last = _sessions[^1];
            _sessions.RemoveAt(MaxSessions);
            _retired.Add(last);
            last.Dispose();
        }
    }
}
