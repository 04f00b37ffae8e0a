using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client.Conversations;

/// <summary>A client as last looked up: its devices' certificates verified, their identities pinned.</summary>
/// <param name="Client">Its id.</param>
/// <param name="Name">Its name as registered.</param>
/// <param name="HomeServer">Where its mailboxes are; zero while it has none.</param>
/// <param name="Verification">Whether it is who it was.</param>
/// <param name="Devices">Its devices that are not removed.</param>
internal sealed record Peer(
    ClientId Client, string Name, ServerId HomeServer, ContactVerification Verification, IReadOnlyList<PeerDevice> Devices);

/// <summary>A device of a peer.</summary>
internal sealed record PeerDevice(DeviceId Device, PublicDeviceIdentity Identity, DeviceStanding Standing, DateTimeOffset FirstSeenAt);
