using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Tests.Support;

/// <summary>A device of a client, as a ticket names it.</summary>
internal sealed record TestDevice(string Name, ClientId Client, DeviceId Device, SessionId Session)
{
    public static TestDevice Of(string name, ClientId? client = null) =>
        new(name, client ?? ClientId.New(), DeviceId.New(), SessionId.New());

    public DeviceAddress Address => new(Client, Device);
}
