using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client;

/// <summary>A ticket in the cache, without its key.</summary>
/// <param name="Server">The message server that it is for; null for the ticket-granting ticket.</param>
/// <param name="ServerName">That server's name.</param>
/// <param name="StartsAt">From when it is valid, by the realm's clock.</param>
/// <param name="EndsAt">Until when it is valid, by the realm's clock.</param>
/// <param name="RenewableUntil">Until when it can be renewed, by the realm's clock.</param>
public sealed record TicketInfo(
    ServerId? Server,
    string ServerName,
    DateTimeOffset StartsAt,
    DateTimeOffset EndsAt,
    DateTimeOffset RenewableUntil);
