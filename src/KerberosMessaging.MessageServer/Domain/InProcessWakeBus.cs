using System.Collections.Immutable;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>The bus where this process is the only node. No hint is ever lost.</summary>
internal sealed class InProcessWakeBus : IWakeBus
{
    private ImmutableArray<Subscription> _subscriptions = [];

    public void Publish(WakeHint hint)
    {
        foreach (var subscription in _subscriptions)
        {
            subscription.OnHint(hint);
        }
    }

    public IDisposable Subscribe(Action<WakeHint> onHint)
    {
        var subscription = new Subscription(this, onHint);
        ImmutableInterlocked.Update(ref _subscriptions, static (all, added) => all.Add(added), subscription);
        return subscription;
    }

    private sealed class Subscription(InProcessWakeBus bus, Action<WakeHint> onHint) : IDisposable
    {
        public Action<WakeHint> OnHint => onHint;

        public void Dispose() =>
            ImmutableInterlocked.Update(ref bus._subscriptions, static (all, removed) => all.Remove(removed), this);
    }
}
