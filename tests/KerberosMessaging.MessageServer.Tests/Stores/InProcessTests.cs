using KerberosMessaging.MessageServer.Domain;

namespace KerberosMessaging.MessageServer.Tests.Stores;

public sealed class InProcessPresenceTests : PresenceContract
{
    private protected override IPresence Presence { get; } = new InProcessPresence();
}

public sealed class InProcessWakeBusTests : WakeBusContract
{
    private protected override IWakeBus Bus { get; } = new InProcessWakeBus();
}
