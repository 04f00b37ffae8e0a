namespace KerberosMessaging.Hosting.Wire.Limits;

/// <summary>The slots that one connection holds, by the stage it is in. All go back when it ends, however it does.</summary>
internal sealed class ConnectionSlots(AddressBlock address, SlotLimit open, SlotLimit handshakes, SlotLimit notSignedIn) : IDisposable
{
    private readonly Lock _lock = new();
    private bool _isOpen = true;
    private bool _isInHandshake = true;
    private bool _isNotSignedIn = true;

    public AddressBlock Address => address;

    public void HandshakeDone()
    {
        lock (_lock)
        {
            Free(handshakes, ref _isInHandshake);
        }
    }

    public void SignedIn()
    {
        lock (_lock)
        {
            Free(notSignedIn, ref _isNotSignedIn);
        }
    }

    /// <summary>Counts among those that are not signed in again, even when there are too many: it came in rightly.</summary>
    public void SignedOut()
    {
        lock (_lock)
        {
            if (_isOpen && !_isNotSignedIn)
            {
                notSignedIn.Take(address);
                _isNotSignedIn = true;
            }
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            Free(handshakes, ref _isInHandshake);
            Free(notSignedIn, ref _isNotSignedIn);
            Free(open, ref _isOpen);
        }
    }

    private void Free(SlotLimit limit, ref bool isTaken)
    {
        if (isTaken)
        {
            limit.Free(address);
            isTaken = false;
        }
    }
}
