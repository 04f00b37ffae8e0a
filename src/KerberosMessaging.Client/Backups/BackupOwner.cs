using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client.Backups;

/// <summary>Whose backup it is.</summary>
/// <param name="Client">The client.</param>
/// <param name="Name">Its name as registered.</param>
/// <param name="RealmKey">The realm's Ed25519 key, 32 bytes.</param>
internal sealed record BackupOwner(ClientId Client, string Name, byte[] RealmKey);
