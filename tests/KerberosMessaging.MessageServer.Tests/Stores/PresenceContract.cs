using System.Collections.Concurrent;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Tests.Support;

namespace KerberosMessaging.MessageServer.Tests.Stores;

/// <summary>What every presence must do; a second implementation derives from this too.</summary>
public abstract class PresenceContract
{
    private readonly DeviceAddress _bob = TestDevice.Of("bob").Address;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private protected abstract IPresence Presence { get; }

    [Fact]
    public async Task Nobody_holds_a_device_before_the_first_claim_and_after_its_release()
    {
        Assert.Equal(0, await Presence.FindAsync(_bob));
        var epoch = await Presence.ClaimAsync(_bob);
        Assert.InRange(epoch, 1, long.MaxValue);
        Assert.Equal(epoch, await Presence.FindAsync(_bob));
        Presence.Release(_bob, epoch);
        await GoneAsync(_bob);
    }

    [Fact]
    public async Task Each_claim_has_a_higher_epoch_than_all_before_even_after_a_release()
    {
        var last = 0L;
        for (var i = 0; i < 10; i++)
        {
            var epoch = await Presence.ClaimAsync(_bob);
            Assert.True(epoch > last);
            last = epoch;
            if (i % 2 == 0)
            {
                Presence.Release(_bob, epoch);
                await GoneAsync(_bob);
            }
        }
    }

    [Fact]
    public async Task Releasing_an_older_claim_does_nothing()
    {
        var older = await Presence.ClaimAsync(_bob);
        var newer = await Presence.ClaimAsync(_bob);
        Presence.Release(_bob, older);

        // Its own release works, so the older one is through by then.
        var other = TestDevice.Of("carol").Address;
        Presence.Release(other, await Presence.ClaimAsync(other));
        await GoneAsync(other);
        Assert.Equal(newer, await Presence.FindAsync(_bob));
        Presence.Release(_bob, newer);
        await GoneAsync(_bob);
    }

    [Fact]
    public async Task Devices_have_nothing_to_do_with_each_other()
    {
        var phone = TestDevice.Of("bob", _bob.Client).Address;
        var (first, second) = (await Presence.ClaimAsync(_bob), await Presence.ClaimAsync(phone));
        Presence.Release(_bob, first);
        await GoneAsync(_bob);
        Assert.Equal(second, await Presence.FindAsync(phone));
    }

    [Fact]
    public async Task Of_parallel_claims_each_has_its_own_epoch_and_the_highest_is_in_force()
    {
        var epochs = new ConcurrentBag<long>();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(
            async () =>
            {
                for (var i = 0; i < 50; i++)
                {
                    epochs.Add(await Presence.ClaimAsync(_bob));
                }
            },
            Cancellation)));
        Assert.Equal(400, epochs.Distinct().Count());
        Assert.Equal(epochs.Max(), await Presence.FindAsync(_bob));
    }

    [Fact]
    public async Task Parallel_claims_and_releases_leave_the_last_claim_or_none()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(
            async () =>
            {
                for (var i = 0; i < 50; i++)
                {
                    Presence.Release(_bob, await Presence.ClaimAsync(_bob));
                }
            },
            Cancellation)));
        await GoneAsync(_bob);
    }

    // A release is not waited for.
    private Task GoneAsync(DeviceAddress device) =>
        Until.TrueAsync(async () => await Presence.FindAsync(device) == 0, Cancellation);
}
