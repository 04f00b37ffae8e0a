namespace KerberosMessaging.MessageServer.Domain;

/// <summary>Writes something that changes nothing, to find out whether the store takes writes.</summary>
internal sealed class ProbeWrite : StoreWrite<bool>;
