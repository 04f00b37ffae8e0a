using KerberosMessaging.Client.Store;
using KerberosMessaging.Client.Tests.Support;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.Client.Tests;

/// <summary>Which keys open a store, as passwords come and go.</summary>
public sealed class StoreSealingTests : IDisposable
{
    private static readonly DateTimeOffset At = new(2026, 11, 23, 10, 56, 5, TimeSpan.Zero);

    private readonly TempFolder _folder = new();
    private readonly SecretBytes _former = SecretBytes.Random(64);
    private readonly SecretBytes _present = SecretBytes.Random(64);

    private string StorePath => _folder.File("store.db");

    public void Dispose()
    {
        _former.Dispose();
        _present.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_store_that_is_sealed_anew_opens_with_the_new_key_alone_and_keeps_its_own()
    {
        using (var store = LocalStore.OpenOrCreate(StorePath, _former))
        {
            store.Write(static transaction => transaction.SetSetting("a", [1, 2, 3]));
            using var other = SecretBytes.Random(64);

            Assert.True(store.TrySealUnder(_present, [other, _former]));

            using var ownKey = store.CopyKey();
            using var opened = LocalStore.Open(StorePath, ownKey);
            AssertHolds(opened);
        }

        Assert.Null(LocalStore.TryOpenOrCreate(StorePath, _former));
        using var again = LocalStore.TryOpenOrCreate(StorePath, _present);
        Assert.NotNull(again);
        AssertHolds(again);
    }

    [Fact]
    public void A_store_that_none_of_the_former_keys_opens_stays_as_it_is()
    {
        using var keyFile = SecretBytes.Random(32);
        using (var store = LocalStore.OpenOrCreate(StorePath, keyFile))
        {
            Assert.False(store.TrySealUnder(_present, [_former]));
            Assert.False(store.TrySealUnder(_present, []));
        }

        Assert.Null(LocalStore.TryOpenOrCreate(StorePath, _present));
        using var again = LocalStore.TryOpenOrCreate(StorePath, keyFile);
        Assert.NotNull(again);
    }

    [Fact]
    public void A_former_store_is_renamed_whole()
    {
        using (var store = LocalStore.OpenOrCreate(StorePath, _former))
        {
            store.Write(static transaction => transaction.SetSetting("a", [1, 2, 3]));
        }

        FormerStore.Settle(StorePath);
        var aside = FormerStore.SetAside(StorePath, At)!;

        Assert.Equal(StorePath + ".before-reset-20261123T105605", aside);
        Assert.False(File.Exists(StorePath));
        using (var made = LocalStore.OpenOrCreate(StorePath, _present))
        {
            Assert.Empty(made.Read(static transaction => transaction.ListSettings("a")));
        }

        using var former = LocalStore.OpenOrCreate(aside, _former);
        AssertHolds(former);
    }

    [Fact]
    public void A_store_in_use_is_not_set_aside()
    {
        using (var store = LocalStore.OpenOrCreate(StorePath, _former))
        {
            store.Write(static transaction => transaction.SetSetting("a", [1, 2, 3]));

            var e = Assert.Throws<MessagingException>(() => FormerStore.Settle(StorePath));

            Assert.Equal(MessagingFailure.StoreUnusable, e.Failure);
            AssertHolds(store);
        }

        FormerStore.Settle(StorePath);
    }

    [Fact]
    public void What_is_no_store_is_set_aside_like_one_and_none_is_none()
    {
        Assert.Null(FormerStore.SetAside(StorePath, At));
        FormerStore.Settle(StorePath);
        File.WriteAllText(StorePath, "this is not a database, and long enough to be seen not to be one by its first bytes");

        FormerStore.Settle(StorePath);

        Assert.NotNull(FormerStore.SetAside(StorePath, At));
        Assert.False(File.Exists(StorePath));
    }

    private static void AssertHolds(LocalStore store)
    {
        using var value = store.Read(static transaction => transaction.GetSetting("a"));
        Assert.Equal([1, 2, 3], value?.Span.ToArray());
    }
}
