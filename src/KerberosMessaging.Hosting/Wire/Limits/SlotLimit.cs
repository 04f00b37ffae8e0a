namespace KerberosMessaging.Hosting.Wire.Limits;

/// <summary>Counts slots that are taken, in all and of each address.</summary>
internal sealed class SlotLimit(int most, int mostPerAddress)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<AddressBlock, int> _byAddress = [];
    private int _taken;

    /// <summary>How many addresses have slots now: no more than there are slots.</summary>
    public int Addresses
    {
        get
        {
            lock (_lock)
            {
                return _byAddress.Count;
            }
        }
    }

    public SlotOutcome TryTake(AddressBlock address)
    {
        lock (_lock)
        {
            var ofAddress = _byAddress.GetValueOrDefault(address);
            if (ofAddress >= mostPerAddress)
            {
                return SlotOutcome.AddressFull;
            }

            if (_taken >= most)
            {
                return SlotOutcome.Full;
            }

            _byAddress[address] = ofAddress + 1;
            _taken++;
            return SlotOutcome.Taken;
        }
    }

    /// <summary>Takes a slot for a peer that is in already, over the limit if need be.</summary>
    public void Take(AddressBlock address)
    {
        lock (_lock)
        {
            _byAddress[address] = _byAddress.GetValueOrDefault(address) + 1;
            _taken++;
        }
    }

    public void Free(AddressBlock address)
    {
        lock (_lock)
        {
            _taken--;
            if (--_byAddress[address] == 0)
            {
                _byAddress.Remove(address);
            }
        }
    }
}

/// <summary>What came of trying to take a slot.</summary>
internal enum SlotOutcome
{
    Taken,
    Full,
    AddressFull,
}
