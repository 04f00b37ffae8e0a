namespace KerberosMessaging.Protocol;

/// <summary>Limits that both ends know. A server may configure the payload limits; the rest are part of the format.</summary>
public static class ProtocolLimits
{
    /// <summary>The version of this protocol, the 17th byte of every frame.</summary>
    public const byte Version = 25;

    /// <summary>Default largest payload in bytes before the channel is authenticated.</summary>
    public const int PayloadBeforeAuthentication = 64 * 1024;

    /// <summary>Default largest payload in bytes after authentication.</summary>
    public const int PayloadAfterAuthentication = 1024 * 1024;

    /// <summary>Longest client, device or server name in UTF-8 bytes.</summary>
    public const int NameBytes = 64;

    /// <summary>Longest host name in bytes (RFC 1035, section 2.3.4).</summary>
    public const int HostBytes = 253;

    /// <summary>Longest one-time token in bytes: of an enrolment, an invite or a password reset.</summary>
    public const int TokenBytes = 128;

    /// <summary>Largest sealed ticket in bytes.</summary>
    public const int TicketBytes = 1024;

    /// <summary>Largest authenticator or sealed reply part in bytes.</summary>
    public const int SealedPartBytes = 2048;

    /// <summary>Largest device certificate in bytes.</summary>
    public const int CertificateBytes = 512;

    /// <summary>Bytes of a device link.</summary>
    public const int DeviceLinkBytes = 97;

    /// <summary>Largest prekey bundle in bytes.</summary>
    public const int PrekeyBundleBytes = 4096;

    /// <summary>Bytes of a one-time X25519 prekey.</summary>
    public const int X25519PrekeyBytes = 32;

    /// <summary>Bytes of a one-time ML-KEM-768 prekey: the encapsulation key and its signature.</summary>
    public const int MlKem768PrekeyBytes = 1184 + 64;

    /// <summary>Most one-time prekeys in one upload.</summary>
    public const int OneTimePrekeysPerUpload = 200;

    /// <summary>Most one-time prekeys of one kind that a server keeps for a device.</summary>
    public const int OneTimePrekeysPerKind = 200;

    /// <summary>Largest end-to-end envelope in bytes: what fits a frame with room for the fields around it.</summary>
    public const int EnvelopeBytes = PayloadAfterAuthentication - 4096;

    /// <summary>Most devices that one client may have, and so the most envelopes in one SEND.</summary>
    public const int DevicesPerClient = 32;

    /// <summary>Most message servers in one list.</summary>
    public const int ServersPerRealm = 256;

    /// <summary>Most ranges in one acknowledgement.</summary>
    public const int RangesPerAcknowledgement = 64;

    /// <summary>Most versions of one kind of key that a message server has at once.</summary>
    public const int KeyVersions = 16;

    /// <summary>Most revocations in one push.</summary>
    public const int RevocationsPerPush = 256;

    /// <summary>Largest sealed list of earlier export keys in bytes.</summary>
    public const int PreviousKeysBytes = 1024;

    /// <summary>Most bytes of a blob in one frame: messages on the same channel wait no longer than for these.</summary>
    public const int BlobChunkBytes = 128 * 1024;

    /// <summary>Longest time to live that a message or blob may ask for, in seconds (30 days).</summary>
    public const uint TimeToLiveSeconds = 30 * 24 * 3600;
}
