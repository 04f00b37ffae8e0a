using System.Collections.Immutable;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>The bus where this process is the only node. No hint is ever lost.</summary>
internal sealed class InProcessWakeBus : IWakeBus
{
    private ImmutableArray<Action<WakeHint>> _subscribers = [];

    public void Publish(WakeHint hint)
    {
        foreach (var subscriber in _subscribers)
        {
            subscriber(hint);
        }
    }

    public IDisposable Subscribe(Action<WakeHint> onHint)
    {
        ImmutableInterlocked.Update(ref _subscribers, static (all, added) => all.Add(added), onHint);
        return new Subscription(this, onHint);
    }

    private sealed class Subscription(InProcessWakeBus bus, Action<WakeHint> onHint) : IDisposable
    {
        public void Dispose() =>
            ImmutableInterlocked.Update(ref bus._subscribers, static (all, removed) => all.Remove(removed), onHint);
    }
}
