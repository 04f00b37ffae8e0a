using System.Collections.Concurrent;
using KerberosMessaging.Protocol;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.Client.Tests.Support;

/// <summary>A client as a <see cref="ScriptedRealm"/> knows it.</summary>
internal sealed class ScriptedClient(string name)
{
    public string Name { get; } = name;

    public ClientId Id { get; set; } = ClientId.New();

    public byte[] Record { get; set; } = [];

    /// <summary>Its sealed earlier export keys.</summary>
    public byte[] PreviousKeys { get; set; } = [];

    /// <summary>Whether its logins are asked for a new record.</summary>
    public bool WantsNewRecord { get; set; }

    /// <summary>Its devices' certificates.</summary>
    public ConcurrentDictionary<DeviceId, byte[]> Certificates { get; } = new();

    /// <summary>Its devices' links.</summary>
    public ConcurrentDictionary<DeviceId, byte[]> Links { get; } = new();

    /// <summary>Its devices' one-time prekeys that nobody took yet.</summary>
    public ConcurrentDictionary<DeviceId, List<OneTimePrekey>> OneTimePrekeys { get; } = new();

    /// <summary>Its devices' published prekeys.</summary>
    public ConcurrentDictionary<DeviceId, byte[]> Prekeys { get; } = new();

    private ConcurrentDictionary<(DeviceId Device, OneTimePrekeyKind Kind), uint> NewestTaken { get; } = new();

    /// <summary>What was sent to it and not acknowledged.</summary>
    public ConcurrentQueue<Protocol.Messages.Deliver> Mailbox { get; } = new();

    /// <summary>Takes the oldest one-time prekey of each kind.</summary>
    public OneTimePrekey[] TakeOneTimePrekeys(DeviceId device)
    {
        var stock = OneTimePrekeys.GetOrAdd(device, static _ => []);
        var taken = stock.GroupBy(static key => key.Kind).Select(static keys => keys.First()).ToArray();
        foreach (var key in taken)
        {
            NewestTaken[(device, key.Kind)] = key.Id;
            stock.Remove(key);
        }

        return taken;
    }

    /// <summary>The highest id that a device ever uploaded.</summary>
    public uint NewestPrekeyId(DeviceId device, OneTimePrekeyKind kind) => OneTimePrekeys[device]
        .Where(key => key.Kind == kind)
        .Select(static key => key.Id)
        .Append(NewestTaken.GetValueOrDefault((device, kind)))
        .Max();

    public DeviceCertificate Certify(DeviceId device, byte[] identity) => new(
        Id, Name, device, identity[..32], identity[32..], (ulong)Certificates.Count + 1, ScriptedRealm.Now);
}
