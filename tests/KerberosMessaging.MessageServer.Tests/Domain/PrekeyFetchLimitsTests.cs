using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.MessageServer.Tests.Domain;

public sealed class PrekeyFetchLimitsTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly PrekeyFetchLimits _limits;
    private readonly ClientId _alice = ClientId.New();
    private readonly ClientId _bob = ClientId.New();

    public PrekeyFetchLimitsTests() => _limits = new PrekeyFetchLimits(
        Options.Create(new PrekeyOptions { FetchBurst = 3, FetchIntervalSeconds = 10, FetchedClients = 5 }), _time);

    [Fact]
    public void A_bucket_fills_by_one_each_interval_and_never_beyond_its_size()
    {
        TakeAll();
        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal(TimeSpan.FromSeconds(6), _limits.Take(_alice, _bob));
        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(TimeSpan.Zero, _limits.Take(_alice, _bob));
        Assert.Equal(TimeSpan.FromSeconds(10), _limits.Take(_alice, _bob));
        _time.Advance(TimeSpan.FromHours(5));
        TakeAll();
    }

    [Fact]
    public void A_refusal_takes_nothing()
    {
        TakeAll();
        for (var i = 0; i < 100; i++)
        {
            Assert.Equal(TimeSpan.FromSeconds(10), _limits.Take(_alice, _bob));
        }

        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(TimeSpan.Zero, _limits.Take(_alice, _bob));
    }

    [Fact]
    public void What_is_given_back_can_be_taken_again_and_an_untouched_bucket_is_not_kept()
    {
        TakeAll();
        _limits.Return(_alice, _bob);
        Assert.Equal(TimeSpan.Zero, _limits.Take(_alice, _bob));
        Assert.Equal(TimeSpan.FromSeconds(10), _limits.Take(_alice, _bob));
        for (var i = 0; i < 3; i++)
        {
            _limits.Return(_alice, _bob);
        }

        Assert.Equal(0, _limits.Count);
        _limits.Return(_alice, _bob);
        _limits.Return(_bob, _alice);
        TakeAll();
    }

    [Fact]
    public void Each_pair_has_its_own_in_each_direction()
    {
        TakeAll();
        Assert.Equal(TimeSpan.Zero, _limits.Take(_bob, _alice));
        Assert.Equal(TimeSpan.Zero, _limits.Take(_alice, _alice));
        Assert.Equal(TimeSpan.Zero, _limits.Take(_bob, _bob));
    }

    [Fact]
    public void A_client_fetches_from_so_many_clients_at_a_time_and_harms_nobody_else()
    {
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(TimeSpan.Zero, _limits.Take(_alice, ClientId.New()));
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(TimeSpan.FromSeconds(5), _limits.Take(_alice, _bob));
        for (var i = 0; i < 100; i++)
        {
            Assert.NotEqual(TimeSpan.Zero, _limits.Take(_alice, ClientId.New()));
        }

        Assert.Equal(5, _limits.Count);
        Assert.Equal(TimeSpan.Zero, _limits.Take(_bob, _alice));

        // The first one's bucket is full again and forgotten.
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(TimeSpan.Zero, _limits.Take(_alice, _bob));
    }

    [Fact]
    public void Buckets_that_are_full_again_are_forgotten()
    {
        for (var i = 0; i < 1000; i++)
        {
            Assert.Equal(TimeSpan.Zero, _limits.Take(ClientId.New(), _bob));
        }

        Assert.Equal(1000, _limits.Count);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(TimeSpan.Zero, _limits.Take(_alice, _bob));
        Assert.Equal(1, _limits.Count);
    }

    [Fact]
    public async Task Many_at_once_get_no_more_than_there_is()
    {
        var taken = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(
            () => Enumerable.Range(0, 1000).Count(_ => _limits.Take(_alice, _bob) == TimeSpan.Zero),
            TestContext.Current.CancellationToken)));
        Assert.Equal(3, taken.Sum());
    }

    private void TakeAll()
    {
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(TimeSpan.Zero, _limits.Take(_alice, _bob));
        }

        Assert.Equal(TimeSpan.FromSeconds(10), _limits.Take(_alice, _bob));
    }
}
