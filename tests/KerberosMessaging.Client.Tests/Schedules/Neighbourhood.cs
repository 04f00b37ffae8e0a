using KerberosMessaging.Client.Store;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client.Tests.Schedules;

/// <summary>A realm, its servers and the devices of a few people, for one test.</summary>
internal sealed class Neighbourhood : IDisposable
{
    private readonly string _folder = SimulatedFolder.Create();
    private readonly List<SimulatedDevice> _devices;
    private readonly SimulatedDevice[] _first;
    private int _files;

    public Neighbourhood(int people)
    {
        Clock = new SimulatedClock(SimulatedClock.Epoch);
        (Realm, Server, _devices) = Template.Copy(Clock, _folder, people);
        _first = [.. _devices];
    }

    public SimulatedClock Clock { get; }

    public SimulatedRealm Realm { get; }

    public SimulatedServer Server { get; }

    public IReadOnlyList<SimulatedDevice> Devices => _devices;

    public SimulatedDevice Alice => _first[0];

    public SimulatedDevice Bob => _first[1];

    public SimulatedDevice Carol => _first[2];

    public string NewFile() => Path.Combine(_folder, $"file-{++_files}");

    /// <summary>A new device of a client, logged in but neither connected nor linked.</summary>
    public SimulatedDevice Enrol(ClientId client)
    {
        var device = SimulatedDevice.Enrol(Realm, Server, Clock, client, NewFile());
        _devices.Add(device);
        return device;
    }

    /// <summary>A new device of a client, linked by another of its devices.</summary>
    public SimulatedDevice EnrolLinked(SimulatedDevice by)
    {
        var device = Enrol(by.Client);
        device.Connect();
        var code = device.Linking.StartLinking();
        Assert.Equal(device.Id, by.Linking.ApproveAsync(code, CancellationToken.None).GetAwaiter().GetResult());
        device.TakeAll();
        Assert.True(device.Linking.IsLinked);
        return device;
    }

    public void Remove(SimulatedDevice device)
    {
        Realm.Remove(device.Client, device.Id);
        Server.Remove(device.Id);
        _devices.Remove(device);
        device.Dispose();
    }

    /// <summary>Lets everybody connect, take what waits and do what is due, until there is nothing more; false where that has no end.</summary>
    public bool Settle()
    {
        const int MaxRounds = 40;
        const int QuietRounds = 3;
        for (int round = 0, quiet = 0; round < MaxRounds; round++)
        {
            var before = Server.Log.Count;
            var taken = 0;
            foreach (var device in _devices)
            {
                device.Connect();
                taken += device.TakeAll();
                device.FollowUp();
            }

            quiet = taken == 0 && Server.Log.Count == before ? quiet + 1 : 0;
            if (quiet == QuietRounds)
            {
                return true;
            }

            if (quiet > 0)
            {
                // What is done at most once an hour has its time.
                Clock.Advance(TimeSpan.FromHours(2));
            }
        }

        return false;
    }

    public void Dispose()
    {
        _devices.ForEach(static device => device.Dispose());
        Directory.Delete(_folder, recursive: true);
    }
}
