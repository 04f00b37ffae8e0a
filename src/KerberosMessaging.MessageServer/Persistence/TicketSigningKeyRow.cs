namespace KerberosMessaging.MessageServer.Persistence;

/// <summary>One version of the public key that verifies service tickets.</summary>
internal sealed class TicketSigningKeyRow
{
    public uint Version { get; set; }

    public byte[] PublicKey { get; set; } = [];
}
