using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client.Tests.Schedules;

/// <summary>
/// A realm with three people who have one device each that was just logged in. Making its keys takes longer than a schedule, so
/// every schedule begins with a copy of the same.
/// </summary>
internal sealed class Template
{
    public static readonly string[] Names = ["alice", "bob", "carol"];

    private static readonly Lazy<Template> Made = new(static () => new Template());

    private readonly string _folder = SimulatedFolder.Create();
    private readonly SimulatedRealm _realm;
    private readonly SimulatedServer _server;
    private readonly List<(ClientId Client, DeviceId Device, SecretBytes StoreKey)> _devices = [];

    private Template()
    {
        var clock = new SimulatedClock(SimulatedClock.Epoch);
        _server = new SimulatedServer(ServerId.New(), clock);
        _realm = new SimulatedRealm(Ed25519PrivateKey.Generate(), _server.Id);
        foreach (var name in Names)
        {
            var client = _realm.Register(name);
            using var device = SimulatedDevice.Enrol(_realm, _server, clock, client, Path.Combine(_folder, $"{name}-first"));
            device.Connect();
            _devices.Add((client, device.Id, device.CopyStore(Path.Combine(_folder, name))));
        }

        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(_folder, recursive: true);
    }

    public static (SimulatedRealm Realm, SimulatedServer Server, List<SimulatedDevice> Devices) Copy(
        SimulatedClock clock, string folder, int people)
    {
        var template = Made.Value;
        var (realm, server) = (template._realm.Copy(), template._server.Copy(clock));
        var devices = new List<SimulatedDevice>();
        foreach (var ((client, device, storeKey), name) in template._devices.Zip(Names).Take(people))
        {
            var path = Path.Combine(folder, $"{name}-0");
            File.Copy(Path.Combine(template._folder, name), path);
            devices.Add(SimulatedDevice.Open(realm, server, clock, client, device, path, storeKey.Clone()));
        }

        return (realm, server, devices);
    }
}
