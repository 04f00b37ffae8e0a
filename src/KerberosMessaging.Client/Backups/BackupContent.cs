using System.Buffers;
using System.Security.Cryptography;
using KerberosMessaging.Client.Store;
using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client.Backups;

/// <summary>
/// What is in a backup: all that makes a device this device to others, and what its user has of them. Not in it: sessions and
/// prekeys, which two devices with the same state would use twice; tickets, the outbox and the store key, which are of one store.
/// </summary>
internal static class BackupContent
{
    private const int AccountKeySize = 32;
    private const int RealmKeySize = 32;
    private const int LinkSize = 97;
    private const int IdSize = 16;
    private const int DevicesLimit = ushort.MaxValue;

    private static readonly string[] Settings = [DeviceKeys.DeviceSetting, DeviceKeys.IdentitySetting, AccountKey.Setting];

    private delegate void BodyWriter(WireWriter body);

    /// <summary>Writes all of it.</summary>
    public static void Save(StoreTransaction store, BackupOwner owner, BackupWriter writer, CancellationToken cancellationToken)
    {
        // Large enough for any record, so that it never grows and leaves a copy behind; Clear erases it.
        var buffer = new ArrayBufferWriter<byte>(BackupFormat.LargestBody + ProtocolLimits.EnvelopeBytes);
        try
        {
            Write(BackupTag.Owner, body =>
            {
                body.WriteId(owner.Client.Value);
                body.WriteText(owner.Name);
                body.WriteFixed(owner.RealmKey, RealmKeySize);
            });
            foreach (var name in Settings)
            {
                using var value = store.GetSetting(name);
                if (value is not null)
                {
                    Write(BackupTag.Setting, body =>
                    {
                        body.WriteText(name);
                        buffer.Write(value.Span);
                    });
                }
            }

            foreach (var (client, name) in store.ListContacts())
            {
                var key = store.GetContactKey(client);
                Write(BackupTag.Contact, body =>
                {
                    body.WriteId(client.Value);
                    body.WriteText(name);
                    body.WriteBytes16(key.Pinned);
                    body.WriteBytes16(key.Seen);
                    body.WriteFlag(key.IsVerified);
                });
            }

            foreach (var (client, device) in store.AllDevices())
            {
                Write(BackupTag.Device, body =>
                {
                    body.WriteId(client.Value);
                    body.WriteId(device.Device.Value);
                    body.WriteFixed(device.Identity.ToBytes(), PublicDeviceIdentity.Size);
                    body.WriteBytes16(device.Link);
                    body.WriteFlag(device.IsAccepted);
                    body.WriteFlag(device.IsListed);
                    body.WriteTime(device.FirstSeenAt);
                });
            }

            foreach (var (message, readAt) in store.AllMessages())
            {
                Write(BackupTag.Message, body =>
                {
                    body.WriteId(message.Message.Value);
                    body.WriteId(message.Peer.Value);
                    body.WriteFlag(message.IsOutgoing);
                    body.WriteId(message.Device.Value);
                    body.WriteText(message.SenderName);
                    body.WriteTime(message.AcceptedAt);
                    body.WriteU16((ushort)message.Problem);
                    body.WriteFlag(readAt is not null);
                    body.WriteTime(readAt ?? DateTimeOffset.UnixEpoch);
                    body.WriteFlag(message.Content is not null);
                    buffer.Write(message.Content);
                });
                CryptographicOperations.ZeroMemory(message.Content);
            }

            foreach (var (sender, message, receivedAt) in store.AllReceived())
            {
                Write(BackupTag.Received, body =>
                {
                    body.WriteId(sender.Value);
                    body.WriteId(message.Value);
                    body.WriteTime(receivedAt);
                });
            }

            foreach (var sent in store.AllSent())
            {
                Write(BackupTag.Sent, body =>
                {
                    body.WriteId(sent.Message.Value);
                    body.WriteId(sent.Recipient.Value);
                    body.WriteTime(sent.SentAt);
                    body.WriteU16((ushort)sent.Devices.Count);
                    foreach (var device in sent.Devices)
                    {
                        body.WriteId(device.Value);
                    }

                    buffer.Write(sent.Content);
                });
                CryptographicOperations.ZeroMemory(sent.Content);
            }

            writer.Complete();
        }
        finally
        {
            buffer.Clear();
        }

        void Write(BackupTag tag, BodyWriter write)
        {
            cancellationToken.ThrowIfCancellationRequested();
            buffer.Clear();
            write(new WireWriter(buffer));
            writer.Write(tag, buffer.WrittenSpan);
        }
    }

    /// <summary>Reads whose backup it is, which comes first.</summary>
    /// <exception cref="BackupException">It is no backup of this version.</exception>
    public static BackupOwner LoadOwner(BackupReader reader)
    {
        if (!reader.TryRead(out var tag, out var body) || tag != BackupTag.Owner)
        {
            throw new BackupException("it does not say whose it is");
        }

        var rest = new WireReader(body);
        var owner = new BackupOwner(
            new ClientId(rest.ReadId()), rest.ReadText(ProtocolLimits.NameBytes), rest.ReadFixed(RealmKeySize));
        rest.ExpectEnd();
        return owner;
    }

    /// <summary>Reads the rest into a new store.</summary>
    /// <exception cref="BackupException">It is no whole backup of this version.</exception>
    public static void Load(StoreTransaction store, BackupReader reader, CancellationToken cancellationToken)
    {
        while (reader.TryRead(out var tag, out var body))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var rest = new WireReader(body);
            switch (tag)
            {
                case BackupTag.Setting:
                    LoadSetting(store, ref rest, body);
                    break;
                case BackupTag.Contact:
                    LoadContact(store, ref rest);
                    break;
                case BackupTag.Device:
                    LoadDevice(store, ref rest);
                    break;
                case BackupTag.Message:
                    LoadMessage(store, ref rest);
                    break;
                case BackupTag.Received:
                    store.AddReceived(new ClientId(rest.ReadId()), new MessageId(rest.ReadId()), rest.ReadTime());
                    rest.ExpectEnd();
                    break;
                case BackupTag.Sent:
                    LoadSent(store, ref rest);
                    break;
                default:
                    throw new BackupException("it holds what this version does not know");
            }
        }

        CheckDevice(store);
        store.SetSetting(DeviceKeys.RestoredSetting, [1]);
    }

    // Whoever knew the passphrase can have written anything.
    private static void CheckDevice(StoreTransaction store)
    {
        using var device = store.GetSetting(DeviceKeys.DeviceSetting);
        using var identity = store.GetSetting(DeviceKeys.IdentitySetting);
        if (device?.Length != IdSize || identity is null)
        {
            throw new BackupException("it holds no device keys");
        }

        try
        {
            DeviceIdentity.Import(identity.Span).Dispose();
        }
        catch (EndToEndException e)
        {
            throw new BackupException("it holds no device keys", e);
        }
    }

    private static void LoadSetting(StoreTransaction store, ref WireReader rest, ReadOnlySpan<byte> body)
    {
        var name = rest.ReadText(ProtocolLimits.NameBytes);

        // A backup decides nothing but what is in one.
        if (!Settings.Contains(name))
        {
            throw new BackupException("it holds what this version does not know");
        }

        if (name == AccountKey.Setting && rest.Remaining != AccountKeySize)
        {
            throw new BackupException("its account key is none");
        }

        store.SetSetting(name, body[^rest.Remaining..]);
    }

    private static void LoadContact(StoreTransaction store, ref WireReader rest)
    {
        var (client, name) = (new ClientId(rest.ReadId()), rest.ReadText(ProtocolLimits.NameBytes));
        var key = new ContactKey(ReadOptional(ref rest, AccountKeySize), ReadOptional(ref rest, AccountKeySize), rest.ReadFlag());
        rest.ExpectEnd();
        if (store.FindContact(name) is not null || store.FindContactName(client) is not null)
        {
            throw new BackupException("it holds a contact twice");
        }

        store.AddContact(client, name);
        store.SetContactKey(client, key);
    }

    private static void LoadDevice(StoreTransaction store, ref WireReader rest)
    {
        var client = new ClientId(rest.ReadId());
        var device = new DeviceId(rest.ReadId());
        var identity = rest.ReadFixed(PublicDeviceIdentity.Size);
        store.PutDevice(client, new StoredDevice(
            device,
            new PublicDeviceIdentity(identity.AsSpan(0, identity.Length / 2), identity.AsSpan(identity.Length / 2)),
            ReadOptional(ref rest, LinkSize),
            IsAccepted: rest.ReadFlag(),
            IsListed: rest.ReadFlag(),
            rest.ReadTime()));
        rest.ExpectEnd();
    }

    private static void LoadMessage(StoreTransaction store, ref WireReader rest)
    {
        var message = new NewMessage(
            new MessageId(rest.ReadId()),
            new ClientId(rest.ReadId()),
            IsOutgoing: rest.ReadFlag(),
            new DeviceId(rest.ReadId()),
            rest.ReadText(ProtocolLimits.NameBytes),
            rest.ReadTime(),
            Content: null,
            (MessageProblem)rest.ReadU16());
        var isRead = rest.ReadFlag();
        var readAt = rest.ReadTime();
        var content = rest.ReadFlag() ? rest.ReadFixed(rest.Remaining) : null;
        rest.ExpectEnd();
        store.InsertMessage(message with { Content = content }, isRead ? readAt : null);
        CryptographicOperations.ZeroMemory(content);
    }

    private static byte[] ReadOptional(ref WireReader rest, int size) =>
        rest.ReadBytes16(size) is { } bytes && (bytes.Length == 0 || bytes.Length == size)
            ? bytes
            : throw new BackupException("it is damaged");

    private static void LoadSent(StoreTransaction store, ref WireReader rest)
    {
        var (message, recipient) = (new MessageId(rest.ReadId()), new ClientId(rest.ReadId()));
        var sentAt = rest.ReadTime();
        var devices = new DeviceId[rest.ReadCount(DevicesLimit, minimumItemSize: IdSize)];
        for (var i = 0; i < devices.Length; i++)
        {
            devices[i] = new DeviceId(rest.ReadId());
        }

        var content = rest.ReadFixed(rest.Remaining);
        store.AddSent(new SentRecord(message, recipient, content, devices, sentAt));
        CryptographicOperations.ZeroMemory(content);
    }
}
