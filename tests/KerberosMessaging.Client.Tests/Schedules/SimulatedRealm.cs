using KerberosMessaging.Cryptography;
using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.Client.Tests.Schedules;

/// <summary>An auth server without accounts, tickets or sockets: who has which devices, certified and linked.</summary>
internal sealed class SimulatedRealm
{
    private readonly Ed25519PrivateKey _key;
    private readonly List<Client> _clients = [];
    private ulong _serial;

    public SimulatedRealm(Ed25519PrivateKey key, ServerId messageServer) => (_key, MessageServer) = (key, messageServer);

    private SimulatedRealm(SimulatedRealm other)
        : this(other._key, other.MessageServer)
    {
        _serial = other._serial;
        _clients = [.. other._clients.Select(static client => client with { Devices = [.. client.Devices] })];
    }

    public ServerId MessageServer { get; }

    public byte[] PublicKey => _key.PublicKey.ToArray();

    public SimulatedRealm Copy() => new(this);

    public ClientId Register(string name)
    {
        var client = new Client(ClientId.New(), name, []);
        _clients.Add(client);
        return client.Id;
    }

    public string NameOf(ClientId client) => Find(client).Name;

    public byte[] Enrol(ClientId client, DeviceId device, PublicDeviceIdentity identity)
    {
        var keys = identity.ToBytes();
        var certificate = new DeviceCertificate(
            client, NameOf(client), device, keys[..32], keys[32..], ++_serial, SimulatedClock.Epoch).Sign(_key);
        Find(client).Devices.Add(new Device(device, keys, certificate, []));
        return certificate;
    }

    public void Remove(ClientId client, DeviceId device) => Find(client).Devices.RemoveAll(known => known.Id == device);

    /// <summary>The link that the realm has of a device; empty where it has none.</summary>
    public byte[] LinkOf(ClientId client, DeviceId device) =>
        Find(client).Devices.Find(known => known.Id == device)?.Link ?? [];

    /// <summary>Whether it is an active device.</summary>
    public bool Has(ClientId client, DeviceId device) => Find(client).Devices.Exists(known => known.Id == device);

    public IWireMessage Answer(ClientId client, DeviceId device, IWireMessage request)
    {
        if (!Has(client, device))
        {
            return new ErrorReply(ProtocolError.TicketRefused, 0);
        }

        return request switch
        {
            LookUpClientRequest lookUp => LookUp(lookUp.Name),
            LinkDeviceRequest link => Link(Find(client), link),
            _ => throw new InvalidOperationException($"Nobody asks an auth server for {request.GetType().Name}."),
        };
    }

    private static IWireMessage Link(Client client, LinkDeviceRequest request)
    {
        var index = client.Devices.FindIndex(known => known.Id == request.Device);
        if (index < 0)
        {
            return new ErrorReply(ProtocolError.UnknownDevice, 0);
        }

        if (!DeviceLink.TryVerify(request.Link, client.Id, request.Device, client.Devices[index].Identity, out _))
        {
            return new ErrorReply(ProtocolError.DeviceRefused, 0);
        }

        client.Devices[index] = client.Devices[index] with { Link = request.Link };
        return new Done();
    }

    private IWireMessage LookUp(string name) => _clients.Find(client => client.Name == name) is { } found
        ? new ClientFound(
            found.Id, found.Name, MessageServer, [.. found.Devices.Select(static device => new FoundDevice(device.Certificate, device.Link))])
        : new ErrorReply(ProtocolError.UnknownClient, 0);

    private Client Find(ClientId id) => _clients.Single(client => client.Id == id);

    private sealed record Client(ClientId Id, string Name, List<Device> Devices);

    private sealed record Device(DeviceId Id, byte[] Identity, byte[] Certificate, byte[] Link);
}
