using System.Diagnostics;
using System.Security.Cryptography;

namespace KerberosMessaging.Hosting.Telemetry;

/// <summary>
/// The trace that the TGS exchange and the AP exchange of one service ticket share. Both servers hold the sealed ticket, so its
/// hash joins the two, and nothing is added to the wire. A ticket is no name: it is new for each exchange, and its hash opens nothing.
/// </summary>
public static class TicketTrace
{
    /// <summary>The span of the TGS exchange, at the auth server.</summary>
    public const string TgsExchange = "kmsg.tgs_exchange";

    /// <summary>The span of the AP exchange, at the message server.</summary>
    public const string ApExchange = "kmsg.ap_exchange";

    /// <summary>Starts the span of an exchange; null where nobody listens. It is linked to the request that it is part of.</summary>
    /// <param name="source">The server's.</param>
    /// <param name="exchange">Which exchange.</param>
    /// <param name="sealedTicket">The service ticket as it stands on the wire.</param>
    public static Activity? Start(ActivitySource source, string exchange, ReadOnlySpan<byte> sealedTicket)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (!source.HasListeners())
        {
            return null;
        }

        ActivityLink[] links = Activity.Current is { } request ? [new ActivityLink(request.Context)] : [];
        return source.StartActivity(ActivityKind.Server, ContextOf(sealedTicket), tags: null, links, name: exchange);
    }

    /// <summary>The trace of a ticket: its id is the first 16 bytes of SHA-256 of the sealed ticket; the next 8 name the ticket as the parent.</summary>
    /// <param name="sealedTicket">The ticket.</param>
    public static ActivityContext ContextOf(ReadOnlySpan<byte> sealedTicket)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(sealedTicket, hash);
        return new ActivityContext(
            ActivityTraceId.CreateFromBytes(hash[..16]),
            ActivitySpanId.CreateFromBytes(hash[16..24]),
            ActivityTraceFlags.None,
            isRemote: true);
    }
}
