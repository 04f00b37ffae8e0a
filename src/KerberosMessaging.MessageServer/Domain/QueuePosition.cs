using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>The last mailbox of the page before, in the order of client name and then device.</summary>
internal readonly record struct QueuePosition(string ClientName, DeviceId Device);
