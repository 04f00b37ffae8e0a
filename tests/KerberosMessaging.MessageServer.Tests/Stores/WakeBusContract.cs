using System.Collections.Concurrent;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Tests.Support;

namespace KerberosMessaging.MessageServer.Tests.Stores;

/// <summary>What every wake bus must do; a second implementation derives from this too.</summary>
public abstract class WakeBusContract
{
    private readonly DeviceAddress _bob = TestDevice.Of("bob").Address;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private protected abstract IWakeBus Bus { get; }

    [Fact]
    public async Task Every_subscriber_gets_every_hint_as_it_was()
    {
        var (one, other) = (new ConcurrentQueue<WakeHint>(), new ConcurrentQueue<WakeHint>());
        using var first = Bus.Subscribe(one.Enqueue);
        using var second = Bus.Subscribe(other.Enqueue);
        WakeHint[] hints = [WakeHint.MailWaits(_bob), WakeHint.TakenOver(_bob, 7)];
        foreach (var hint in hints)
        {
            Bus.Publish(hint);
        }

        await Until.TrueAsync(() => hints.All(one.Contains) && hints.All(other.Contains), Cancellation);
    }

    [Fact]
    public async Task A_subscriber_that_has_gone_gets_none()
    {
        var (gone, there) = (new ConcurrentQueue<WakeHint>(), new ConcurrentQueue<WakeHint>());
        using var staying = Bus.Subscribe(there.Enqueue);
        var leaving = Bus.Subscribe(gone.Enqueue);
        leaving.Dispose();
        leaving.Dispose();
        Bus.Publish(WakeHint.MailWaits(_bob));
        await Until.TrueAsync(() => there.Contains(WakeHint.MailWaits(_bob)), Cancellation);
        Assert.Empty(gone);
    }

    [Fact]
    public async Task An_action_that_subscribed_twice_and_left_once_still_gets_hints()
    {
        var hints = new ConcurrentQueue<WakeHint>();
        Action<WakeHint> add = hints.Enqueue;
        using var staying = Bus.Subscribe(add);
        var leaving = Bus.Subscribe(add);
        leaving.Dispose();
        leaving.Dispose();
        Bus.Publish(WakeHint.MailWaits(_bob));
        await Until.TrueAsync(() => !hints.IsEmpty, Cancellation);
        Assert.Single(hints);
    }

    [Fact]
    public async Task After_parallel_publishing_everybody_knows_of_every_device_or_of_a_gap()
    {
        var hints = new ConcurrentQueue<WakeHint>();
        using var subscription = Bus.Subscribe(hints.Enqueue);
        var devices = Enumerable.Range(0, 8).Select(static _ => TestDevice.Of("bob").Address).ToArray();
        await Task.WhenAll(devices.Select(device => Task.Run(
            () =>
            {
                for (var i = 0; i < 100; i++)
                {
                    Bus.Publish(WakeHint.MailWaits(device));
                }
            },
            Cancellation)));

        // Hints may be made one, but each device hears of its mail.
        await Until.TrueAsync(
            () => hints.Contains(WakeHint.Gap) || devices.All(device => hints.Contains(WakeHint.MailWaits(device))), Cancellation);
    }

    [Fact]
    public async Task Subscribers_may_come_and_go_while_hints_are_published()
    {
        var steady = new ConcurrentQueue<WakeHint>();
        using var staying = Bus.Subscribe(steady.Enqueue);
        var coming = Task.Run(
            () =>
            {
                for (var i = 0; i < 200; i++)
                {
                    Bus.Subscribe(static _ => { }).Dispose();
                }
            },
            Cancellation);
        while (!coming.IsCompleted)
        {
            Bus.Publish(WakeHint.MailWaits(_bob));
        }

        await coming;
        steady.Clear();
        Bus.Publish(WakeHint.TakenOver(_bob, 1));
        await Until.TrueAsync(() => steady.Contains(WakeHint.TakenOver(_bob, 1)), Cancellation);
    }
}
