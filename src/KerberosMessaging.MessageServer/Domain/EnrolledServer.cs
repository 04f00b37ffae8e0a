using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>What makes this server a member of its realm.</summary>
/// <param name="Server">The id that the realm gave it.</param>
/// <param name="SigningKey">Signs its handshakes; the auth server lists the public half to clients.</param>
/// <param name="RealmKey">The realm's Ed25519 public key, by which the auth server is known from now on. 32 bytes.</param>
/// <param name="Keys">What it opens service tickets with.</param>
/// <param name="TokenHash">SHA-256 of the token that it enrolled with; null where an earlier version of this program enrolled it.</param>
internal sealed record EnrolledServer(
    ServerId Server,
    Ed25519PrivateKey SigningKey,
    byte[] RealmKey,
    TicketKeySet Keys,
    byte[]? TokenHash);
