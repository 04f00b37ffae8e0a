namespace KerberosMessaging.EndToEnd;

/// <summary>
/// All sessions with one remote device: the device record of Sesame, section 3. The first session is the active one, which sends; a
/// session that reads a message becomes the first, so that both devices settle on the same one even if both started
/// one at the same time. At most <see cref="MaxSessions"/> are kept; the one unused for longest is dropped.
/// <para>A session starts by PQXDH and goes on by the Double Ratchet with header encryption:</para>
/// <code>
/// DH1 = X25519(IK_A, SPK_B)   DH2 = X25519(EK_A, IK_B)   DH3 = X25519(EK_A, SPK_B)   DH4 = X25519(EK_A, OPK_B)
/// HKDF-SHA-512(salt = 64 zero bytes, ikm = 32 bytes 0xFF || DH1 || DH2 || DH3 [|| DH4] || ML-KEM-768 shared secret,
///              info = "kmsg/25 PQXDH X25519 SHA-512 ML-KEM-768", 160 bytes) → SK (32) || header key of A (64) || header key of B (64)
/// AD  = "kmsg/25" || identity of A (64) || identity of B (64)
///       || SHA-512(KEM prekey of B) || SHA-512(KEM ciphertext)                                    263 bytes
/// KDF_RK(rk, dh [|| ss]) = HKDF-SHA-256(salt = rk, ikm = dh [|| ss], info = "kmsg/25 ratchet root" [" ML-KEM-768"], 128 bytes)
///                → rk' (32) || ck (32) || next header key (64)
/// KDF_CK(ck)     = message key HMAC-SHA-256(ck, 0x01), next chain key HMAC-SHA-256(ck, 0x02)
/// message key    → HKDF-SHA-256(salt = 32 zero bytes, ikm = message key, info = "kmsg/25 message key", 80 bytes)
///                → encryption key (32) || authentication key (32) || IV (16)
/// header         = A256CBC-HS512 under the chain's header key
/// ciphertext     = AES-256-CBC with PKCS#7;  tag = HMAC-SHA-256(authentication key, AD || message id || envelope before the tag)
/// </code>
/// <para>
/// SK is the first root key. The responder's first ratchet key pair is its signed prekey; the initiator makes a ratchet key pair, sends
/// under KDF_RK(SK, DH(own ratchet key, SPK_B)), and puts the prekey header in front of every message until it has
/// read one of the peer (Double Ratchet, sections 4.3 and 5.1). The envelope is described at <see cref="EnvelopeFormat"/>.
/// </para>
/// <para>
/// State in, state out: export and store the state after every <see cref="Encrypt"/> before the envelope is sent, and
/// after every successful <see cref="Decrypt"/> before the message is acknowledged, with the prekeys where they changed.
/// Not safe for use by several threads at once.
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
    /// <param name="credentials">
    /// What vouches for this device, at most <see cref="EnvelopeFormat.MaxCredentialsSize"/> bytes; it travels with every
    /// message until the peer has answered.
    /// </param>
    /// <param name="peer">The peer device's identity, already verified by its certificate.</param>
    /// <param name="bundle">The peer device's prekeys.</param>
    /// <param name="oneTimePrekey">The X25519 one-time prekey that came with them, if any.</param>
    /// <param name="oneTimeKemPrekey">The ML-KEM-768 one-time prekey that came with them, if any; without it the last-resort key is used.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="EndToEndException">
    /// The bundle or the KEM key is not signed by the peer, or one of the peer's keys is one that no agreement is possible with, or the
    /// peer is this device itself.
    /// </exception>
    /// <exception cref="ArgumentException">The credentials are too long.</exception>
    public void StartSession(
        DeviceIdentity self,
        ReadOnlySpan<byte> credentials,
        PublicDeviceIdentity peer,
        PrekeyBundle bundle,
        OneTimePublicPrekey? oneTimePrekey,
        OneTimePublicPrekey? oneTimeKemPrekey,
        DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(self);
        ArgumentNullException.ThrowIfNull(peer);
        ArgumentNullException.ThrowIfNull(bundle);
        if (credentials.Length > EnvelopeFormat.MaxCredentialsSize)
        {
            throw new ArgumentException("The credentials do not fit into an envelope.", nameof(credentials));
        }

        // With one identity on both sides the two roles could not be told apart, and reflected messages would be read.
        if (peer.Equals(self.Public))
        {
            throw new EndToEndException("A device has no session with itself.");
        }

        if (!bundle.IsSignedBy(peer) || oneTimeKemPrekey?.IsKemKeySignedBy(peer) == false)
        {
            throw new EndToEndException("The prekeys are not signed by the device they are said to belong to.");
        }

        // An id of 0 would say that there was none, and an empty key would leave DH4 out.
        if (oneTimePrekey is { Id: 0 } or { Key.Length: not OneTimePublicPrekey.X25519Size }
            || !Session.TryInitiate(self, credentials, peer, bundle, oneTimePrekey, oneTimeKemPrekey, now, out var session))
        {
            throw new EndToEndException("One of the peer's public keys cannot be used.");
        }

        PutFirst(session);
    }

    /// <summary>
    /// Encrypts a message in the active session (Double Ratchet, section 4.3). The envelope is a prekey envelope until a
    /// message of the peer was read in this session, then a ratchet envelope.
    /// </summary>
    /// <param name="plaintext">The message.</param>
    /// <param name="messageId">The id that it is sent under, 16 bytes: under any other the envelope does not open.</param>
    /// <param name="now">The time.</param>
    /// <returns>The envelope.</returns>
    /// <exception cref="InvalidOperationException">There is no session.</exception>
    /// <exception cref="ArgumentException">The message id has another length.</exception>
    /// <exception cref="EndToEndException">The session's sending chain is used up.</exception>
    public byte[] Encrypt(ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> messageId, DateTimeOffset now)
    {
        CheckMessageId(messageId);
        if (!HasSession)
        {
            throw new InvalidOperationException("There is no session.");
        }

        var envelope = _sessions[0].Seal(plaintext, messageId, now);
        AgeOut(now);
        return envelope;
    }

    /// <summary>
    /// Reads an envelope (Sesame, section 3; PQXDH, section 3.4; Double Ratchet, section 4.3). A prekey envelope with a new base
    /// key makes a new session, any other is read in the session it belongs to. Unless the result is
    /// <see cref="DecryptResult.Ok"/>, sessions and prekeys are exactly as before.
    /// </summary>
    /// <param name="self">This device's identity.</param>
    /// <param name="prekeys">
    /// This device's prekeys, to be stored with the sessions where <see cref="DevicePrekeys.IsChanged"/>. Only prekey envelopes need
    /// them; where they are missing those start no session.
    /// </param>
    /// <param name="peer">The peer device's identity, already verified by its certificate.</param>
    /// <param name="envelope">The envelope.</param>
    /// <param name="messageId">The id that it came under, 16 bytes.</param>
    /// <param name="now">The time.</param>
    /// <param name="plaintext">The message, the caller's to erase; empty unless the result is <see cref="DecryptResult.Ok"/>.</param>
    /// <returns>What became of it. Nothing in an envelope makes this method throw.</returns>
    /// <exception cref="ArgumentException">The message id has another length.</exception>
    public DecryptResult Decrypt(
        DeviceIdentity self,
        DevicePrekeys? prekeys,
        PublicDeviceIdentity peer,
        ReadOnlySpan<byte> envelope,
        ReadOnlySpan<byte> messageId,
        DateTimeOffset now,
        out byte[] plaintext)
    {
        ArgumentNullException.ThrowIfNull(self);
        ArgumentNullException.ThrowIfNull(peer);
        CheckMessageId(messageId);
        plaintext = [];
        if (!Envelope.TryParse(envelope, out var parsed))
        {
            return DecryptResult.Malformed;
        }

        var result = parsed.Kind == EnvelopeKind.Prekey
            ? OpenPrekeyEnvelope(self, prekeys, peer, parsed, messageId, now, out plaintext)
            : OpenRatchetEnvelope(self, peer, parsed, messageId, now, out plaintext);
        if (result == DecryptResult.Ok)
        {
            AgeOut(now);
        }

        return result;
    }

    /// <summary>
    /// Whether the peer has waited so long for an answer that an empty one should be sent, so that the ratchet turns and its keys
    /// are refreshed: after twelve messages in a row, or two days.
    /// </summary>
    /// <param name="now">The time.</param>
    /// <returns>Whether an answer is due in the active session.</returns>
    public bool WantsAnswer(DateTimeOffset now) => HasSession && _sessions[0].WantsAnswer(now);

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

    private static void CheckMessageId(ReadOnlySpan<byte> messageId)
    {
        if (messageId.Length != EnvelopeFormat.MessageIdSize)
        {
            throw new ArgumentException($"A message id has {EnvelopeFormat.MessageIdSize} bytes.", nameof(messageId));
        }
    }

    // Sessions that are not used any more hold such keys, too.
    private void AgeOut(DateTimeOffset now)
    {
        foreach (var session in _sessions)
        {
            session.AgeOut(now);
        }
    }

    private DecryptResult OpenPrekeyEnvelope(
        DeviceIdentity self,
        DevicePrekeys? prekeys,
        PublicDeviceIdentity peer,
        in Envelope envelope,
        ReadOnlySpan<byte> messageId,
        DateTimeOffset now,
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
                if (!known.IsBetween(self.Public, peer))
                {
                    return DecryptResult.WrongIdentity;
                }

                // The session is the right one, so a header that it does not open is of a chain that is over, or a forgery.
                return TryOpenIn(known, envelope, messageId, now, out var result, out plaintext) ? result : DecryptResult.NoSession;
            }
        }

        return _retired.Contains(header.BaseKey) ? DecryptResult.NoSession
            : prekeys is null ? DecryptResult.UnknownPrekey
            : Accept(self, prekeys, peer, envelope, messageId, now, out plaintext);
    }

    private DecryptResult Accept(
        DeviceIdentity self,
        DevicePrekeys prekeys,
        PublicDeviceIdentity peer,
        in Envelope envelope,
        ReadOnlySpan<byte> messageId,
        DateTimeOffset now,
        out byte[] plaintext)
    {
        plaintext = [];
        var header = envelope.PrekeyHeader;
        if (!prekeys.TryFind(header.PrekeyIds, out var secrets))
        {
            return DecryptResult.UnknownPrekey;
        }

        if (!Session.TryRespond(self, secrets, peer, header, now, out var session))
        {
            return DecryptResult.BadMac;
        }

        var buffer = new byte[envelope.SealedHeader.Length];
        var result = session.TryOpenHeader(envelope.SealedHeader, buffer, out var ratchetHeader, out var match)
            ? session.Open(envelope, ratchetHeader, match, messageId, now, out plaintext)
            : DecryptResult.BadMac;
        if (result != DecryptResult.Ok)
        {
            session.Dispose();
            return result;
        }

        prekeys.Use(header.PrekeyIds);
        PutFirst(session);
        _retired.ForgetUnreadable(prekeys);
        return DecryptResult.Ok;
    }

    private DecryptResult OpenRatchetEnvelope(
        DeviceIdentity self,
        PublicDeviceIdentity peer,
        in Envelope envelope,
        ReadOnlySpan<byte> messageId,
        DateTimeOffset now,
        out byte[] plaintext)
    {
        plaintext = [];
        var mayBeAnothers = HasSession;
        foreach (var session in _sessions)
        {
            if (session.IsBetween(self.Public, peer))
            {
                mayBeAnothers = false;
                if (TryOpenIn(session, envelope, messageId, now, out var result, out plaintext))
                {
                    return result;
                }
            }
        }

        return mayBeAnothers ? DecryptResult.WrongIdentity : DecryptResult.NoSession;
    }

    /// <summary>Opens an envelope in a session. False where its header belongs to no chain of it.</summary>
    private bool TryOpenIn(
        Session session,
        in Envelope envelope,
        ReadOnlySpan<byte> messageId,
        DateTimeOffset now,
        out DecryptResult result,
        out byte[] plaintext)
    {
        plaintext = [];
        result = default;
        var buffer = new byte[envelope.SealedHeader.Length];
        if (!session.TryOpenHeader(envelope.SealedHeader, buffer, out var header, out var match))
        {
            return false;
        }

        result = session.Open(envelope, header, match, messageId, now, out plaintext);
        if (result == DecryptResult.Ok)
        {
            // Sesame, section 3: the session that the peer used last becomes the active one.
            _sessions.Remove(session);
            _sessions.Insert(0, session);
        }

        return true;
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
