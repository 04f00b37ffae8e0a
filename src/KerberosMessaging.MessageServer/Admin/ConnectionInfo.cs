namespace KerberosMessaging.MessageServer.Admin;

/// <summary>An open connection.</summary>
/// <param name="SessionId">The channel's session id, which every frame of the connection carries.</param>
/// <example>4f1c2a9be07d4c31a5d86e0f9b7c2d14</example>
/// <param name="Address">The client's IP address.</param>
/// <param name="ClientName">The client's name, once it has presented a ticket.</param>
/// <param name="ClientId">The client's id, once it has presented a ticket.</param>
/// <param name="DeviceId">The device's id, once it has presented a ticket.</param>
/// <param name="ConnectedAt">When the handshake was done.</param>
/// <param name="TicketEndsAt">When the ticket ends, and with it the connection unless a fresh one is presented.</param>
/// <param name="Credit">How many more messages the device takes now.</param>
internal sealed record ConnectionInfo(
    string SessionId,
    string Address,
    string? ClientName,
    string? ClientId,
    string? DeviceId,
    DateTimeOffset ConnectedAt,
    DateTimeOffset? TicketEndsAt,
    int? Credit);
