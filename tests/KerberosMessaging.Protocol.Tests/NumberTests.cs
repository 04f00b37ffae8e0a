using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Protocol.Tests;

/// <summary>Numbers on the wire are for ever: a name may change, a number may not, and none is used twice.</summary>
public sealed class NumberTests
{
    [Fact]
    public void Message_codes_never_change() => Assert.Equal(
        """
        1000 ClientHello
        1001 ServerHello
        1002 Bundle
        1024 RegisterClient
        1025 RegisterServer
        1026 ListServers
        1027 RequestServiceTicket
        1028 PresentTicket
        1029 SendMessage
        1030 FinishRegistration
        1031 StartLogin
        1032 FinishLogin
        1033 LookUpClient
        1034 RenewTicket
        1035 Logout
        1036 UploadPrekeys
        1037 FetchPrekeys
        1038 Acknowledge
        1039 GrantCredit
        1040 StartPasswordChange
        1041 FinishPasswordChange
        1042 ListDevices
        1043 RenameDevice
        1044 RemoveDevice
        1045 AuthenticateServer
        1046 SubscribeRevocations
        1047 FetchServerKeys
        1048 ConfirmServerKeys
        1049 FetchPreviousKeys
        1050 GetPrekeyStatus
        1051 LinkDevice
        1055 StartBlob
        1056 WriteBlob
        1057 ReadBlob
        1058 DeleteBlob
        1060 Ping
        1600 ClientRegistered
        1601 RegistrationRefused
        1602 ServerList
        1603 ServiceTicket
        1604 TicketAccepted
        1605 MessageAccepted
        1609 Error
        1610 RegistrationChallenge
        1611 ServerRegistered
        1612 LoginChallenge
        1613 TicketGranted
        1614 ClientFound
        1615 Done
        1616 Prekeys
        1617 DevicesMismatched
        1618 CreditGranted
        1619 PasswordChangeChallenge
        1620 OwnDevices
        1621 ServerKeys
        1622 RevocationsSubscribed
        1623 PreviousKeys
        1624 PrekeyStatus
        1630 BlobState
        1631 BlobData
        1900 Deliver
        1901 Notice
        1902 Revocations
        1903 ServerKeysChanged
        1904 PrekeysLow
        1910 AreYouThere
        """,
        Numbers<MessageCode>());

    [Fact]
    public void Error_codes_never_change() => Assert.Equal(
        """
        1 UnsupportedVersion
        2 Malformed
        3 TooLarge
        4 UnknownCode
        5 ChannelFailed
        6 TimedOut
        7 SessionEnded
        8 ShuttingDown
        9 Internal
        10 Overloaded
        100 NotSignedIn
        101 LoginFailed
        102 TicketRefused
        103 UnknownClient
        104 UnknownServer
        105 EnrolmentRefused
        106 DeviceRefused
        107 QuotaExceeded
        108 Busy
        109 MessageIdReused
        110 Unexpected
        111 TooManyRequests
        112 UnknownDevice
        113 ClientDisabled
        120 UnknownBlob
        121 BlobRefused
        122 BlobTooLarge
        """,
        Numbers<ProtocolError>());

    [Fact]
    public void Notice_kinds_never_change() => Assert.Equal(
        """
        1 TakenOver
        2 SessionEnded
        3 ShuttingDown
        """,
        Numbers<NoticeKind>());

    [Fact]
    public void Registration_refusals_never_change() => Assert.Equal(
        """
        1 NameTaken
        2 NameInvalid
        3 Closed
        4 StretchingRefused
        5 RecordRefused
        6 InviteRefused
        """,
        Numbers<RegistrationRefusal>());

    [Fact]
    public void Revocation_kinds_never_change() => Assert.Equal(
        """
        1 Session
        2 Device
        3 Client
        """,
        Numbers<RevocationKind>());

    [Fact]
    public void Kinds_of_one_time_prekey_never_change() => Assert.Equal(
        """
        1 X25519
        2 MlKem768
        """,
        Numbers<OneTimePrekeyKind>());

    [Fact]
    public void Limits_of_the_format_never_change()
    {
        Assert.Equal(25, ProtocolLimits.Version);
        Assert.Equal(65_536, ProtocolLimits.PayloadBeforeAuthentication);
        Assert.Equal(1_048_576, ProtocolLimits.PayloadAfterAuthentication);
        Assert.Equal(64, ProtocolLimits.NameBytes);
        Assert.Equal(253, ProtocolLimits.HostBytes);
        Assert.Equal(128, ProtocolLimits.TokenBytes);
        Assert.Equal(1024, ProtocolLimits.TicketBytes);
        Assert.Equal(2048, ProtocolLimits.SealedPartBytes);
        Assert.Equal(512, ProtocolLimits.CertificateBytes);
        Assert.Equal(97, ProtocolLimits.DeviceLinkBytes);
        Assert.Equal(4096, ProtocolLimits.PrekeyBundleBytes);
        Assert.Equal(32, ProtocolLimits.X25519PrekeyBytes);
        Assert.Equal(1248, ProtocolLimits.MlKem768PrekeyBytes);
        Assert.Equal(200, ProtocolLimits.OneTimePrekeysPerUpload);
        Assert.Equal(200, ProtocolLimits.OneTimePrekeysPerKind);
        Assert.Equal(1_044_480, ProtocolLimits.EnvelopeBytes);
        Assert.Equal(32, ProtocolLimits.DevicesPerClient);
        Assert.Equal(256, ProtocolLimits.ServersPerRealm);
        Assert.Equal(64, ProtocolLimits.RangesPerAcknowledgement);
        Assert.Equal(16, ProtocolLimits.KeyVersions);
        Assert.Equal(256, ProtocolLimits.RevocationsPerPush);
        Assert.Equal(1024, ProtocolLimits.PreviousKeysBytes);
        Assert.Equal(131_072, ProtocolLimits.BlobChunkBytes);
        Assert.Equal(2_592_000u, ProtocolLimits.TimeToLiveSeconds);
    }

    private static string Numbers<T>()
        where T : struct, Enum =>
        string.Join('\n', Enum.GetValues<T>().Select(value => $"{value:D} {value:G}"));
}
