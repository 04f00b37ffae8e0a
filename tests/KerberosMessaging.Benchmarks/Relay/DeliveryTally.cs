namespace KerberosMessaging.Benchmarks.Relay;

/// <summary>Holds what one recipient got against the numbers that its sender gave. Not safe for use by several threads at once.</summary>
internal sealed class DeliveryTally
{
    // Numbers that were passed over. None, in a server that does what it promises.
    private readonly HashSet<long> _missing = [];
    private long _highest;
    private long _distinct;

    /// <summary>How many different messages came. Other threads may read it.</summary>
    public long Distinct => Volatile.Read(ref _distinct);

    /// <summary>Messages that came a second time.</summary>
    public long Duplicated { get; private set; }

    /// <summary>Messages that came after a later one.</summary>
    public long OutOfOrder { get; private set; }

    /// <summary>Counts a message.</summary>
    public void Add(long number)
    {
        if (number > _highest)
        {
            for (var passed = _highest + 1; passed < number; passed++)
            {
                _missing.Add(passed);
            }

            _highest = number;
        }
        else if (_missing.Remove(number))
        {
            OutOfOrder++;
        }
        else
        {
            Duplicated++;
            return;
        }

        Volatile.Write(ref _distinct, _distinct + 1);
    }
}
