using KerberosMessaging.Cryptography;
using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client.Tests.Support;

/// <summary>A device that encrypts whatever the test wants, under whatever certificate it wants.</summary>
internal sealed class ScriptedDevice(string client) : IDisposable
{
    private readonly DeviceIdentity _identity = DeviceIdentity.Generate();
    private readonly PeerSessions _sessions = PeerSessions.Create();

    public byte[] IdentityBytes => _identity.Public.ToBytes();

    public DeviceId Id { get; } = DeviceId.New();

    /// <summary>A certificate for this device, in its client's name.</summary>
    public byte[] CertifyBy(ScriptedRealm realm, Ed25519PrivateKey signer) =>
        realm.Find(client).Certify(Id, IdentityBytes).Sign(signer);

    /// <summary>Starts a session with a client's device, stating a certificate.</summary>
    public void Start(ScriptedRealm realm, byte[] certificate, MessagingClient peer)
    {
        var recipient = realm.Find(peer.Name);
        var read = Tickets.DeviceCertificate.TryRead(recipient.Certificates[peer.Device], realm.Auth.Key.PublicKey.Span)!;
        Assert.True(PrekeyBundle.TryRead(recipient.Prekeys[peer.Device], out var bundle));
        _sessions.StartSession(_identity, certificate, new PublicDeviceIdentity(read.SigningKey, read.AgreementKey), bundle);
    }

    public byte[] Encrypt(string text) => Encrypt(MessageContent.OfText(text, DateTimeOffset.UnixEpoch).ToBytes());

    public byte[] Encrypt(byte[] content) => _sessions.Encrypt(content);

    public void Dispose()
    {
        _identity.Dispose();
        _sessions.Dispose();
    }
}
