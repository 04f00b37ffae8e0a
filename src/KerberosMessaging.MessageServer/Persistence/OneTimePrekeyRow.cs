using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Persistence;

/// <summary>A one-time prekey that nobody has got yet.</summary>
internal sealed class OneTimePrekeyRow
{
    public long MailboxId { get; set; }

    public OneTimePrekeyKind Kind { get; set; }

    public uint Id { get; set; }

    /// <summary>The public key, opaque to the server.</summary>
    public byte[] Key { get; set; } = [];
}
