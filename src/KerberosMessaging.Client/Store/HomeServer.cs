using System.Buffers;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Client.Store;

/// <summary>Where this client's mailboxes are, remembered for when the auth server is away.</summary>
internal static class HomeServer
{
    private const string Setting = "home server";

    public static ServerEntry? Load(StoreTransaction transaction)
    {
        using var stored = transaction.GetSetting(Setting);
        if (stored is null)
        {
            return null;
        }

        var reader = new WireReader(stored.Span);
        return ServerEntry.Read(ref reader);
    }

    public static void Save(this ServerEntry entry, StoreTransaction transaction)
    {
        var buffer = new ArrayBufferWriter<byte>();
        entry.Write(new WireWriter(buffer));
        transaction.SetSetting(Setting, buffer.WrittenSpan);
    }
}
