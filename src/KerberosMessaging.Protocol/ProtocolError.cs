namespace KerberosMessaging.Protocol;

/// <summary>
/// The closed list of codes that an error frame (1609) may carry. Numbers are never reused. Those below 100 end the
/// connection; the others answer one request and leave the connection as it was.
/// </summary>
public enum ProtocolError : ushort
{
    /// <summary>The frame's version byte is not <see cref="ProtocolLimits.Version"/>.</summary>
    UnsupportedVersion = 1,

    /// <summary>A frame or message does not follow the format.</summary>
    Malformed = 2,

    /// <summary>The announced payload is over the limit in force.</summary>
    TooLarge = 3,

    /// <summary>The code is not a request that this server knows.</summary>
    UnknownCode = 4,

    /// <summary>A handshake or record could not be verified. One code for every cause.</summary>
    ChannelFailed = 5,

    /// <summary>A stage or a frame took longer than its deadline, or a signed-in peer was silent for too long.</summary>
    TimedOut = 6,

    /// <summary>The ticket that opened this connection has ended.</summary>
    SessionEnded = 7,

    /// <summary>The server is stopping; connect again after the stated time.</summary>
    ShuttingDown = 8,

    /// <summary>A fault of the server's own; nothing more is said.</summary>
    Internal = 9,

    /// <summary>Too many connections or handshakes, or too many from the peer's address; connect again after the stated time.</summary>
    Overloaded = 10,

    /// <summary>The request needs a channel on which a ticket was presented or a login was completed.</summary>
    NotSignedIn = 100,

    /// <summary>Wrong password, unknown name or locked account: one code for all of them.</summary>
    LoginFailed = 101,

    /// <summary>The ticket or its authenticator was refused: one code for every cause.</summary>
    TicketRefused = 102,

    /// <summary>No client of that name or id.</summary>
    UnknownClient = 103,

    /// <summary>No active message server of that id.</summary>
    UnknownServer = 104,

    /// <summary>The enrolment token is unknown, used or expired, or the enrolment is not acceptable.</summary>
    EnrolmentRefused = 105,

    /// <summary>The device or its link is not acceptable for this client: other keys, revoked, one too many, or a link that does not verify.</summary>
    DeviceRefused = 106,

    /// <summary>
    /// The recipient's mailbox is full, or one's own blobs take all they may: retry after the stated time. Or more one-time prekeys
    /// than a server keeps.
    /// </summary>
    QuotaExceeded = 107,

    /// <summary>The server cannot take the request now; retry after the stated time.</summary>
    Busy = 108,

    /// <summary>The message id was used before for a different message.</summary>
    MessageIdReused = 109,

    /// <summary>The request is well-formed but makes no sense in this state.</summary>
    Unexpected = 110,

    /// <summary>
    /// Refused by a rate limit or because of failed logins; try again after the stated time. It is the same for names that
    /// exist and those that do not.
    /// </summary>
    TooManyRequests = 111,

    /// <summary>This client has no active device of that id.</summary>
    UnknownDevice = 112,

    /// <summary>The client is disabled. Told only once the password is proven.</summary>
    ClientDisabled = 113,

    /// <summary>There is no such blob here, or it has expired, is not complete, or is not one's own: one code for all of them.</summary>
    UnknownBlob = 120,

    /// <summary>The upload contradicts what was announced: another size or digest, or an id that is in use. What contradicted is gone.</summary>
    BlobRefused = 121,

    /// <summary>The announced size is more than this server takes for one blob.</summary>
    BlobTooLarge = 122,
}
