using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.Client.Store;

/// <content>Devices of clients, and the sessions with them.</content>
internal sealed partial class StoreTransaction
{
    private const string IdentityPlace = "devices.identity";
    private const string SessionsPlace = "devices.sessions";
    private const int LinkSize = 97;

    /// <summary>All devices of a client that were ever met, in the order in which they were.</summary>
    public List<StoredDevice> ListDevices(ClientId client) => Rows(
        Command(
            "SELECT device, identity, is_listed, first_seen_at FROM devices WHERE client = $client ORDER BY first_seen_at, device",
            ("$client", Bytes(client.Value))),
        reader => ReadDevice(client, reader)).ToList();

    /// <summary>A device; null for one never met.</summary>
    public StoredDevice? FindDevice(ClientId client, DeviceId device) => Rows(
        Command(
            "SELECT device, identity, is_listed, first_seen_at FROM devices WHERE client = $client AND device = $device",
            ("$client", Bytes(client.Value)),
            ("$device", Bytes(device.Value))),
        reader => ReadDevice(client, reader)).FirstOrDefault();

    /// <summary>Adds a device or replaces what is known of it; its sessions stay.</summary>
    public void PutDevice(ClientId client, StoredDevice device)
    {
        if (device.Link.Length is not (0 or LinkSize))
        {
            throw new ArgumentException($"A link is {LinkSize} bytes, or none.", nameof(device));
        }

        // Sealed together with the identity: who can write the file must not accept a device.
        byte[] value = [device.IsAccepted ? (byte)1 : (byte)0, .. device.Identity.ToBytes(), .. device.Link];
        Execute(
            """
            INSERT INTO devices (client, device, identity, is_listed, first_seen_at)
            VALUES ($client, $device, $identity, $listed, $seen)
            ON CONFLICT (client, device) DO UPDATE SET
                identity = excluded.identity, is_listed = excluded.is_listed, first_seen_at = excluded.first_seen_at
            """,
            ("$client", Bytes(client.Value)),
            ("$device", Bytes(device.Device.Value)),
            ("$identity", cipher.Seal(IdentityPlace, Row(client, device.Device), value)),
            ("$listed", device.IsListed),
            ("$seen", device.FirstSeenAt.ToUnixTimeMilliseconds()));
    }

    /// <summary>The sessions with a device; none with one never met.</summary>
    public PeerSessions GetSessions(ClientId client, DeviceId device)
    {
        var found = Rows(
            Command(
                "SELECT sessions FROM devices WHERE client = $client AND device = $device AND sessions IS NOT NULL",
                ("$client", Bytes(client.Value)),
                ("$device", Bytes(device.Value))),
            static reader => Blob(reader, 0)).FirstOrDefault();
        if (found is null)
        {
            return PeerSessions.Create();
        }

        using var opened = cipher.Open(SessionsPlace, Row(client, device), found);
        return PeerSessions.Import(opened.Span);
    }

    /// <summary>Replaces the sessions with a device that <see cref="PutDevice"/> added before.</summary>
    public void SetSessions(ClientId client, DeviceId device, PeerSessions sessions)
    {
        using var exported = sessions.Export();
        var changed = Execute(
            "UPDATE devices SET sessions = $sessions WHERE client = $client AND device = $device",
            ("$client", Bytes(client.Value)),
            ("$device", Bytes(device.Value)),
            ("$sessions", cipher.Seal(SessionsPlace, Row(client, device), exported.Span)));
        if (changed == 0)
        {
            // What was encrypted with them could never be answered.
            throw new InvalidOperationException($"There is no device {device} of {client}.");
        }
    }

    /// <summary>Forgets the sessions with all devices of all clients.</summary>
    public void RemoveSessions() => Execute("UPDATE devices SET sessions = NULL");

    private StoredDevice ReadDevice(ClientId client, SqliteDataReader reader)
    {
        var device = new DeviceId(Id(reader, 0));
        using var opened = cipher.Open(IdentityPlace, Row(client, device), Blob(reader, 1));
        return opened.Length is 1 + PublicDeviceIdentity.Size or 1 + PublicDeviceIdentity.Size + LinkSize
            && PublicDeviceIdentity.TryRead(opened.Span[1..(1 + PublicDeviceIdentity.Size)], out var identity)
                ? new StoredDevice(
                    device,
                    identity,
                    opened.Span[(1 + PublicDeviceIdentity.Size)..].ToArray(),
                    opened.Span[0] != 0,
                    Flag(reader, 2),
                    Time(reader, 3))
                : throw Damaged();
    }
}

/// <summary>A device of a client.</summary>
/// <param name="Device">Its id.</param>
/// <param name="Identity">Its identity, as certified.</param>
/// <param name="Link">Its link to the account key, 97 bytes; empty while it has none.</param>
/// <param name="IsAccepted">Whether the user accepted it by hand.</param>
/// <param name="IsListed">Whether it was in the realm's last list.</param>
/// <param name="FirstSeenAt">When it was first met.</param>
internal sealed record StoredDevice(
    DeviceId Device, PublicDeviceIdentity Identity, byte[] Link, bool IsAccepted, bool IsListed, DateTimeOffset FirstSeenAt);
