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

    /// <summary>Its devices' published prekeys.</summary>
    public ConcurrentDictionary<DeviceId, byte[]> Prekeys { get; } = new();

    /// <summary>What was sent to it and not acknowledged.</summary>
    public ConcurrentQueue<Protocol.Messages.Deliver> Mailbox { get; } = new();

    public DeviceCertificate Certify(DeviceId device, byte[] identity) => new(
        Id, Name, device, identity[..32], identity[32..], (ulong)Certificates.Count + 1, ScriptedRealm.Now);
}
