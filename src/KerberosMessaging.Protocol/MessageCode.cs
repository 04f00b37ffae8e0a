namespace KerberosMessaging.Protocol;

/// <summary>Frame codes. Numbers are never reused: handshake 1000+, requests 1024+, replies 1600+, pushes 1900+.</summary>
public enum MessageCode : ushort
{
    /// <summary>First frame of a connection, from the client, in clear.</summary>
    ClientHello = 1000,

    /// <summary>Answer to <see cref="ClientHello"/>, in clear and signed.</summary>
    ServerHello = 1001,

    /// <summary>Several frames in one record, from either end.</summary>
    Bundle = 1002,

    /// <summary>Registers a client, first step (RFC 9807, section 5).</summary>
    RegisterClient = 1024,

    /// <summary>Enrols a message server with a one-time token.</summary>
    RegisterServer = 1025,

    /// <summary>Asks for the message servers of the realm.</summary>
    ListServers = 1026,

    /// <summary>TGS exchange: asks for a service ticket.</summary>
    RequestServiceTicket = 1027,

    /// <summary>AP exchange: presents a ticket on this channel.</summary>
    PresentTicket = 1028,

    /// <summary>Sends a message to a client's devices.</summary>
    SendMessage = 1029,

    /// <summary>Registers a client, second step.</summary>
    FinishRegistration = 1030,

    /// <summary>AS exchange, first step: OPAQUE KE1.</summary>
    StartLogin = 1031,

    /// <summary>AS exchange, second step: OPAQUE KE3 and the device.</summary>
    FinishLogin = 1032,

    /// <summary>Looks a client up by name.</summary>
    LookUpClient = 1033,

    /// <summary>Renews a ticket-granting ticket.</summary>
    RenewTicket = 1034,

    /// <summary>Ends this session, or all of the client's sessions.</summary>
    Logout = 1035,

    /// <summary>Publishes a device's prekeys.</summary>
    UploadPrekeys = 1036,

    /// <summary>Fetches the prekeys of a client's devices.</summary>
    FetchPrekeys = 1037,

    /// <summary>Acknowledges delivered messages.</summary>
    Acknowledge = 1038,

    /// <summary>Lets the server push so many more messages.</summary>
    GrantCredit = 1039,

    /// <summary>Stores a new OPAQUE record for a signed-in client, first step: proves the current password, asks for the new record.</summary>
    StartPasswordChange = 1040,

    /// <summary>Stores a new OPAQUE record, second step.</summary>
    FinishPasswordChange = 1041,

    /// <summary>Asks for one's own devices.</summary>
    ListDevices = 1042,

    /// <summary>Gives one of one's own devices another name.</summary>
    RenameDevice = 1043,

    /// <summary>Revokes one of one's own devices.</summary>
    RemoveDevice = 1044,

    /// <summary>A message server proves on this channel that it is an enrolled one.</summary>
    AuthenticateServer = 1045,

    /// <summary>A message server asks to be told of revocations.</summary>
    SubscribeRevocations = 1046,

    /// <summary>A message server asks for its keys.</summary>
    FetchServerKeys = 1047,

    /// <summary>A message server says which of its keys it has stored.</summary>
    ConfirmServerKeys = 1048,

    /// <summary>AS exchange, between its steps: OPAQUE KE3, for a store that is sealed under an earlier export key.</summary>
    FetchPreviousKeys = 1049,

    /// <summary>Asks what the server has of the device's one-time prekeys.</summary>
    GetPrekeyStatus = 1050,

    /// <summary>Stores the statement of the account key that one of one's own devices is one's own.</summary>
    LinkDevice = 1051,

    /// <summary>Begins the upload of a blob, or asks where to go on with it.</summary>
    StartBlob = 1055,

    /// <summary>Uploads the next bytes of a blob.</summary>
    WriteBlob = 1056,

    /// <summary>Asks for bytes of a blob.</summary>
    ReadBlob = 1057,

    /// <summary>Deletes a blob of one's own.</summary>
    DeleteBlob = 1058,

    /// <summary>A sign of life; any peer may ask for one with it.</summary>
    Ping = 1060,

    /// <summary>Registration completed.</summary>
    ClientRegistered = 1600,

    /// <summary>Registration refused, with a reason.</summary>
    RegistrationRefused = 1601,

    /// <summary>The message servers.</summary>
    ServerList = 1602,

    /// <summary>A service ticket.</summary>
    ServiceTicket = 1603,

    /// <summary>The presented ticket was accepted, with the server's proof.</summary>
    TicketAccepted = 1604,

    /// <summary>Every envelope of the message is on disk or acknowledged.</summary>
    MessageAccepted = 1605,

    /// <summary>Error frame.</summary>
    Error = 1609,

    /// <summary>OPAQUE registration response.</summary>
    RegistrationChallenge = 1610,

    /// <summary>A message server is enrolled.</summary>
    ServerRegistered = 1611,

    /// <summary>OPAQUE KE2.</summary>
    LoginChallenge = 1612,

    /// <summary>A ticket-granting ticket.</summary>
    TicketGranted = 1613,

    /// <summary>A client's id, home server, device certificates and links.</summary>
    ClientFound = 1614,

    /// <summary>Done, with nothing more to say.</summary>
    Done = 1615,

    /// <summary>Prekeys of the asked devices.</summary>
    Prekeys = 1616,

    /// <summary>Nothing was taken: these devices are wrong or missing.</summary>
    DevicesMismatched = 1617,

    /// <summary>Credit was taken, and up to which message the mailbox is filled.</summary>
    CreditGranted = 1618,

    /// <summary>OPAQUE KE2 for the current password and registration response for the new one.</summary>
    PasswordChangeChallenge = 1619,

    /// <summary>The client's own devices.</summary>
    OwnDevices = 1620,

    /// <summary>The keys with which a message server opens and verifies service tickets.</summary>
    ServerKeys = 1621,

    /// <summary>Revocations are told from now on.</summary>
    RevocationsSubscribed = 1622,

    /// <summary>The client's sealed earlier export keys.</summary>
    PreviousKeys = 1623,

    /// <summary>What the server has of the device's one-time prekeys.</summary>
    PrekeyStatus = 1624,

    /// <summary>How far the upload of a blob has come.</summary>
    BlobState = 1630,

    /// <summary>Bytes of a blob.</summary>
    BlobData = 1631,

    /// <summary>Push: a message from the mailbox.</summary>
    Deliver = 1900,

    /// <summary>Push: something happened to this connection.</summary>
    Notice = 1901,

    /// <summary>Push to a message server: what was revoked.</summary>
    Revocations = 1902,

    /// <summary>Push to a message server: fetch your keys.</summary>
    ServerKeysChanged = 1903,

    /// <summary>Push: few of the device's one-time prekeys are left.</summary>
    PrekeysLow = 1904,

    /// <summary>Push: nothing was heard for a while; the peer answers with <see cref="Ping"/>.</summary>
    AreYouThere = 1910,
}
