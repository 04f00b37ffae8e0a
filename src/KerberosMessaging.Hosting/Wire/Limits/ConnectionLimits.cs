using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Wire.Limits;

/// <summary>
/// Decides, before a byte is read or a key is used, whether a connection may come in. The rate over all addresses is asked
/// first: it bounds how many addresses there can be to remember.
/// </summary>
internal sealed class ConnectionLimits : IDisposable
{
    // A handshake is over in a moment; a connection or a login takes longer.
    private static readonly TimeSpan HandshakeWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ConnectionWait = TimeSpan.FromSeconds(5);

    private readonly TokenBucketRateLimiter _rate;
    private readonly TokenBuckets<AddressBlock> _addressRates;
    private readonly SlotLimit _open;
    private readonly SlotLimit _handshakes;
    private readonly SlotLimit _notSignedIn;

    private readonly LimitReports _reports;

    public ConnectionLimits(IOptions<LimitOptions> options, LimitReports reports)
    {
        _reports = reports;
        var limits = options.Value;
        _rate = TokenBucket.Make(limits.ConnectionsPerSecond, limits.ConnectionsBurst);
        _addressRates = new TokenBuckets<AddressBlock>(limits.ConnectionsPerSecondPerAddress, limits.ConnectionsBurstPerAddress);
        _open = new SlotLimit(limits.Connections, limits.ConnectionsPerAddress);
        _handshakes = new SlotLimit(limits.Handshakes, limits.ShareOf(limits.Handshakes));
        _notSignedIn = new SlotLimit(limits.NotSignedIn, limits.ShareOf(limits.NotSignedIn));
    }

    /// <summary>The slots of a connection that comes in; null when it may not.</summary>
    public ConnectionSlots? TryAdmit(AddressBlock address, out LimitRefusal refusal)
    {
        if (Refuse(address) is { } refused)
        {
            refusal = refused;
            _reports.Refused(refused.Limit);
            return null;
        }

        refusal = default;
        return new ConnectionSlots(address, _open, _handshakes, _notSignedIn);
    }

    public void Dispose()
    {
        _rate.Dispose();
        _addressRates.Dispose();
    }

    // Takes a slot of each kind, or none.
    private LimitRefusal? Refuse(AddressBlock address)
    {
        if (!TryTakeRate(out var retryAfter))
        {
            return new LimitRefusal(Limit.ConnectionRate, retryAfter);
        }

        if (!_addressRates.TryTake(address, 1, out retryAfter))
        {
            return new LimitRefusal(Limit.ConnectionRatePerAddress, retryAfter);
        }

        if (_open.TryTake(address) is not SlotOutcome.Taken and var noConnection)
        {
            return Refusal(noConnection, Limit.Connections, Limit.ConnectionsPerAddress, ConnectionWait);
        }

        if (_handshakes.TryTake(address) is not SlotOutcome.Taken and var noHandshake)
        {
            _open.Free(address);
            return Refusal(noHandshake, Limit.Handshakes, Limit.HandshakesPerAddress, HandshakeWait);
        }

        if (_notSignedIn.TryTake(address) is not SlotOutcome.Taken and var noSignIn)
        {
            _open.Free(address);
            _handshakes.Free(address);
            return Refusal(noSignIn, Limit.NotSignedIn, Limit.NotSignedInPerAddress, ConnectionWait);
        }

        return null;
    }

    private bool TryTakeRate(out TimeSpan retryAfter)
    {
        try
        {
            _rate.TryReplenish();
            using var lease = _rate.AttemptAcquire();
            return TokenBucket.IsTaken(lease, out retryAfter);
        }
        catch (ObjectDisposedException)
        {
            // The server has stopped; what still comes in is about to be cut off.
            retryAfter = default;
            return true;
        }
    }

    private static LimitRefusal Refusal(SlotOutcome outcome, Limit all, Limit perAddress, TimeSpan retryAfter) =>
        new(outcome == SlotOutcome.AddressFull ? perAddress : all, retryAfter);
}
