namespace KerberosMessaging.MessageServer.Admin;

/// <summary>An open connection.</summary>
/// <param name="SessionId" example="4f1c2a9b-e07d-4c31-a5d8-6e0f9b7c2d14">The channel's session id, which every frame of the connection carries.</param>
/// <param name="Address" example="192.0.2.7">The client's IP address.</param>
/// <param name="ClientName" example="alice">The client's name; null until it has presented a ticket.</param>
/// <param name="ClientId" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client's id; null until it has presented a ticket.</param>
/// <param name="DeviceId" example="c2f8d9a1-7b3e-4c56-b0a4-5e6d7f8091a2">The device's id; null until it has presented a ticket.</param>
/// <param name="ConnectedAt" example="2026-05-04T08:15:30Z">When the handshake was done.</param>
/// <param name="TicketEndsAt" example="2026-05-04T08:25:30Z">When the ticket ends, and with it the connection unless a fresh one is presented.</param>
/// <param name="Credit" example="64">How many more messages the device takes now; null when its mail does not flow down this connection.</param>
internal sealed record ConnectionView(
    Guid SessionId,
    string Address,
    string? ClientName,
    Guid? ClientId,
    Guid? DeviceId,
    DateTimeOffset ConnectedAt,
    DateTimeOffset? TicketEndsAt,
    int? Credit);
