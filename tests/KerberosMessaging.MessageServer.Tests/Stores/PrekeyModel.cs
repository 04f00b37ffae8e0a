using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Tests.Stores;

/// <summary>What a store is to do with the one-time prekeys of one device, in the simplest way.</summary>
internal sealed class PrekeyModel
{
    private readonly SortedSet<uint>[] _kept = [[], []];
    private readonly uint[] _newest = [0, 0];
    private readonly ulong[] _misses = [0, 0];

    public List<(OneTimePrekeyKind Kind, uint Id)> Given { get; } = [];

    public PrekeyStock Stock => new(StockOf(0), StockOf(1));

    /// <summary>Keys whose ids start at one place and rise by the given steps.</summary>
    public static OneTimePrekey[] Keys(uint from, uint[] x25519, uint[] mlKem768) =>
    [
        .. Ids(from, x25519).Select(TestPrekey.X25519),
        .. Ids(from, mlKem768).Select(TestPrekey.MlKem768),
    ];

    public void Upload(uint dropBelow, OneTimePrekey[] keys)
    {
        foreach (var kept in _kept)
        {
            kept.RemoveWhere(id => id < dropBelow);
        }

        foreach (var key in keys)
        {
            var kind = (int)key.Kind - 1;
            if (key.Id > _newest[kind])
            {
                _newest[kind] = key.Id;
                _kept[kind].Add(key.Id);
            }
        }
    }

    public List<(OneTimePrekeyKind Kind, uint Id)> Take()
    {
        var taken = new List<(OneTimePrekeyKind, uint)>();
        for (var kind = 0; kind < 2; kind++)
        {
            if (_kept[kind].Count == 0)
            {
                _misses[kind]++;
                continue;
            }

            var id = _kept[kind].Min;
            _kept[kind].Remove(id);
            taken.Add(((OneTimePrekeyKind)(kind + 1), id));
        }

        Given.AddRange(taken);
        return taken;
    }

    private static IEnumerable<uint> Ids(uint from, uint[] steps)
    {
        foreach (var step in steps)
        {
            yield return from;
            from += step;
        }
    }

    private OneTimePrekeyStock StockOf(int kind) => new(_kept[kind].Count, _newest[kind], _misses[kind]);
}
