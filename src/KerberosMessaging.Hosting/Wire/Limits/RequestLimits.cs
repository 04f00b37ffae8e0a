using KerberosMessaging.Protocol;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Wire.Limits;

/// <summary>
/// Decides whether a request may be handled now: by its client on all of its connections together (an admin may set a limit
/// of its own for one), or by its address where
/// nobody is signed in. Message servers are not limited: they are the realm's own.
/// </summary>
internal sealed class RequestLimits(IOptions<LimitOptions> options, ClientLimits own, LimitReports reports) : IDisposable
{
    private readonly TokenBuckets<ClientId> _clients = new(options.Value.RequestsPerSecondPerClient, options.Value.RequestsBurstPerClient);
    private readonly TokenBuckets<AddressBlock> _addresses = new(options.Value.RequestsPerSecondPerAddress, options.Value.RequestsBurstPerAddress);

    public bool TryAdmit(WireConnection connection, int cost, out LimitRefusal refusal)
    {
        refusal = default;
        if (cost == 0 || connection.Server is not null)
        {
            return true;
        }

        var client = connection.Principal?.Client;
        var isAdmitted = client is { } id
            ? own.TryTake(id, cost, out var retryAfter) ?? _clients.TryTake(id, cost, out retryAfter)
            : _addresses.TryTake(connection.Address, cost, out retryAfter);
        if (!isAdmitted)
        {
            refusal = new LimitRefusal(client is null ? Limit.RequestsPerAddress : Limit.RequestsPerClient, retryAfter);
            reports.Refused(refusal.Limit);
        }

        return isAdmitted;
    }

    public void Dispose()
    {
        _clients.Dispose();
        _addresses.Dispose();
    }
}
