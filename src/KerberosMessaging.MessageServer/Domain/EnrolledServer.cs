using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>What makes this server a member of its realm.</summary>
/// <param name="Server">The id that the realm gave it.</param>
/// <param name="SigningKey">Signs its handshakes; the auth server lists the public half to clients.</param>
/// <param name="KeyVersion">Version of the service key.</param>
/// <param name="ServiceKey">Opens service tickets.</param>
/// <param name="RealmSigningKey">Verifies them: the realm's ticket-signing Ed25519 public key.</param>
internal sealed record EnrolledServer(
    ServerId Server,
    Ed25519PrivateKey SigningKey,
    uint KeyVersion,
    SecretBytes ServiceKey,
    byte[] RealmSigningKey);
