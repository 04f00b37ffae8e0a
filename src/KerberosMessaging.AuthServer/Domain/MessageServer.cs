using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>One version of a message server's long-term key, opened.</summary>
/// <param name="Version">Its key version number.</param>
/// <param name="Secret">The key, 32 bytes.</param>
/// <param name="IsConfirmed">Whether the server has it stored.</param>
internal sealed record ServiceKey(uint Version, SecretBytes Secret, bool IsConfirmed);

/// <summary>A message server as tickets need it. Immutable: a change puts another in its place.</summary>
internal sealed record MessageServer(
    ServerId Id,
    string Name,
    string Host,
    ushort Port,
    byte[] SigningKey,
    IReadOnlyList<ServiceKey> Keys,
    uint TicketSigningVersion)
{
    /// <summary>The newest key that the server has stored: tickets for it are sealed under this one.</summary>
    public ServiceKey SealingKey { get; } = Keys.Where(static key => key.IsConfirmed).MaxBy(static key => key.Version)!;
}
