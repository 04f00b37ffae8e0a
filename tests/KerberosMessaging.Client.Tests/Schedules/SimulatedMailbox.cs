using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Client.Tests.Schedules;

/// <summary>A device's mailbox and prekeys at a <see cref="SimulatedServer"/>.</summary>
internal sealed class SimulatedMailbox(ClientId client, DeviceId device)
{
    private readonly List<OneTimePrekey> _oneTime = [];
    private readonly Dictionary<OneTimePrekeyKind, uint> _newest = [];
    private readonly HashSet<string> _givenOut = [];

    public ClientId Client => client;

    public DeviceId Device => device;

    public byte[] Bundle { get; private set; } = [];

    /// <summary>What was not acknowledged.</summary>
    public List<Deliver> Waiting { get; } = [];

    /// <summary>Whether the device is to be told that prekeys run out.</summary>
    public bool IsLow { get; set; }

    public SimulatedMailbox Copy()
    {
        var copy = new SimulatedMailbox(client, device) { Bundle = Bundle };
        copy._oneTime.AddRange(_oneTime);
        foreach (var (kind, newest) in _newest)
        {
            copy._newest[kind] = newest;
        }

        return copy;
    }

    public int Count(OneTimePrekeyKind kind) => _oneTime.Count(key => key.Kind == kind);

    /// <summary>The highest id of a one-time prekey that it was ever given.</summary>
    public uint NewestOneTimeId => _newest.Count == 0 ? 0 : _newest.Values.Max();

    public PrekeyStatus Stock() => new(Of(OneTimePrekeyKind.X25519), Of(OneTimePrekeyKind.MlKem768));

    public IWireMessage Upload(UploadPrekeysRequest upload)
    {
        if (upload.Bundle.Length > 0)
        {
            Bundle = upload.Bundle;
        }

        _oneTime.RemoveAll(key => key.Id < upload.DropBelow);
        foreach (var key in upload.OneTimePrekeys.Where(key => key.Id > _newest.GetValueOrDefault(key.Kind)).ToList())
        {
            _newest[key.Kind] = key.Id;
            _oneTime.Add(key);
        }

        Assert.All(
            [OneTimePrekeyKind.X25519, OneTimePrekeyKind.MlKem768], kind => Assert.True(Count(kind) <= ProtocolLimits.OneTimePrekeysPerKind));
        return Stock();
    }

    /// <summary>Takes the oldest one-time prekey of each kind.</summary>
    public List<OneTimePrekey> GiveOut()
    {
        var taken = _oneTime.GroupBy(static key => key.Kind).Select(static keys => keys.MinBy(static key => key.Id)!).ToList();
        foreach (var key in taken)
        {
            _oneTime.Remove(key);
            Assert.True(_givenOut.Add(Convert.ToHexString(key.Key)), "A one-time prekey was published twice.");
        }

        return taken;
    }

    /// <summary>Leaves so many of each kind, as if others had taken the rest.</summary>
    public void UseUp(int left)
    {
        while (Count(OneTimePrekeyKind.X25519) > left)
        {
            GiveOut();
        }
    }

    private OneTimePrekeyStock Of(OneTimePrekeyKind kind) => new(Count(kind), _newest.GetValueOrDefault(kind), 0);
}
