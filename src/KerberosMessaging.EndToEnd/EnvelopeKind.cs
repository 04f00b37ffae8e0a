namespace KerberosMessaging.EndToEnd;

/// <summary>The second byte of an envelope.</summary>
public enum EnvelopeKind : byte
{
    /// <summary>
    /// Carries what the recipient needs to create the session (PQXDH, section 3.3), in front of the ratchet message.
    /// Sent until the peer has answered.
    /// </summary>
    Prekey = 1,

    /// <summary>A ratchet message in an established session (Double Ratchet, section 3.4).</summary>
    Ratchet = 2,
}
