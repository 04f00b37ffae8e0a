using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// Stores what a device publishes: all of it or nothing. A repeat changes nothing, whatever was handed out in between.
/// </summary>
/// <param name="mailbox">The device's mailbox.</param>
/// <param name="bundle">Replaces the bundle; empty leaves that as it is.</param>
/// <param name="dropBelow">One-time prekeys with lower ids are deleted first.</param>
/// <param name="keys">One-time prekeys to add, those of a kind by rising ids. Ids up to the highest ever uploaded are passed over.</param>
internal sealed class UploadPrekeysWrite(long mailbox, byte[] bundle, uint dropBelow, IReadOnlyList<OneTimePrekey> keys)
    : StoreWrite<PrekeyUpload>
{
    public long Mailbox => mailbox;

    public byte[] Bundle => bundle;

    public uint DropBelow => dropBelow;

    public IReadOnlyList<OneTimePrekey> Keys => keys;

    public override long Size { get; } = bundle.Length + keys.Sum(static key => (long)key.Key.Length);
}
