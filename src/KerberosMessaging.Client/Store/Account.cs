using System.Buffers;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client.Store;

/// <summary>Whose store it is: the client, its device as the realm certified it, and the realm.</summary>
internal sealed record Account(
    ClientId Client,
    string Name,
    DeviceId Device,
    byte[] Certificate,
    byte[] RealmKey,
    SessionId Session)
{
    public const string Setting = "account";

    public static Account? Load(StoreTransaction transaction)
    {
        using var stored = transaction.GetSetting(Setting);
        if (stored is null)
        {
            return null;
        }

        var reader = new WireReader(stored.Span);
        var account = new Account(
            new ClientId(reader.ReadId()),
            reader.ReadText(ProtocolLimits.NameBytes),
            new DeviceId(reader.ReadId()),
            reader.ReadBytes16(ProtocolLimits.CertificateBytes),
            reader.ReadFixed(32),
            new SessionId(reader.ReadId()));
        reader.ExpectEnd();
        return account;
    }

    public void Save(StoreTransaction transaction)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var writer = new WireWriter(buffer);
        writer.WriteId(Client.Value);
        writer.WriteText(Name);
        writer.WriteId(Device.Value);
        writer.WriteBytes16(Certificate);
        writer.WriteFixed(RealmKey, 32);
        writer.WriteId(Session.Value);
        transaction.SetSetting(Setting, buffer.WrittenSpan);
    }
}
