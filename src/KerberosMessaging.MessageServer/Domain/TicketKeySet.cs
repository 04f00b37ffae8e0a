using System.Collections.Frozen;
using System.Security.Cryptography;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// What service tickets are opened and verified with, all versions at one moment. Immutable: a change puts another in its
/// place, and the one before is left to the collector, since a request may still use it.
/// </summary>
/// <param name="ServiceKeys">Tickets are sealed under one of these, by version; 32 bytes each.</param>
/// <param name="TicketSigningKeys">The realm signs tickets with one of these Ed25519 public keys, by version; 32 bytes each.</param>
internal sealed record TicketKeySet(
    FrozenDictionary<uint, SecretBytes> ServiceKeys,
    FrozenDictionary<uint, byte[]> TicketSigningKeys) : IDisposable
{
    public uint NewestServiceKey { get; } = ServiceKeys.Keys.DefaultIfEmpty().Max();

    public uint NewestTicketSigningKey { get; } = TicketSigningKeys.Keys.DefaultIfEmpty().Max();

    /// <summary>Whether another has the same versions with the same keys.</summary>
    public bool IsSameAs(TicketKeySet other) =>
        ServiceKeys.Count == other.ServiceKeys.Count
        && TicketSigningKeys.Count == other.TicketSigningKeys.Count
        && ServiceKeys.All(key => other.ServiceKeys.TryGetValue(key.Key, out var found)
            && CryptographicOperations.FixedTimeEquals(found.Span, key.Value.Span))
        && TicketSigningKeys.All(key => other.TicketSigningKeys.TryGetValue(key.Key, out var found)
            && found.AsSpan().SequenceEqual(key.Value));

    public void Dispose()
    {
        foreach (var key in ServiceKeys.Values)
        {
            key.Dispose();
        }
    }

    /// <summary>The versions alone.</summary>
    public override string ToString() =>
        $"service keys {string.Join(' ', ServiceKeys.Keys.Order())}, ticket-signing keys {string.Join(' ', TicketSigningKeys.Keys.Order())}";
}
