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

    /// <summary>A link for this device, by any account key.</summary>
    public byte[] LinkBy(ScriptedRealm realm, Ed25519PrivateKey accountKey) =>
        Tickets.DeviceLink.Sign(accountKey, realm.Find(client).Id, Id, IdentityBytes);

    /// <summary>Starts a session with a client's device, stating a certificate and, where there is one, a link.</summary>
    public void Start(ScriptedRealm realm, byte[] certificate, MessagingClient peer, byte[]? link = null)
    {
        var recipient = realm.Find(peer.Name);
        var read = Tickets.DeviceCertificate.TryRead(recipient.Certificates[peer.Device], realm.Auth.Key.PublicKey.Span)!;
        Assert.True(PrekeyBundle.TryRead(recipient.Prekeys[peer.Device], out var bundle));
        var credentials = new Conversations.Credentials(certificate, link ?? []).ToBytes();
        _sessions.StartSession(
            _identity, credentials, new PublicDeviceIdentity(read.SigningKey, read.AgreementKey), bundle, null, null, DateTimeOffset.UtcNow);
    }

    public ScriptedEnvelope Encrypt(string text) => Encrypt(MessageContent.OfText(text, DateTimeOffset.UnixEpoch).ToBytes());

    public ScriptedEnvelope Encrypt(byte[] content)
    {
        var message = MessageId.New();
        return new ScriptedEnvelope(message, _sessions.Encrypt(content, message.Value.ToByteArray(bigEndian: true), DateTimeOffset.UtcNow));
    }

    public void Dispose()
    {
        _identity.Dispose();
        _sessions.Dispose();
    }
}

/// <summary>An envelope and the message id that it opens under.</summary>
internal sealed record ScriptedEnvelope(MessageId Message, byte[] Bytes);
