namespace KerberosMessaging.EndToEndTests.Support;

/// <summary>A realm in this process for all tests of a class, whose people have names of their own.</summary>
public sealed class RealmFixture : IAsyncLifetime
{
    private int _people;

    internal Realm Realm { get; private set; } = null!;

    /// <summary>A name that no other test has.</summary>
    internal string NewName(string name) => $"{name}{Interlocked.Increment(ref _people)}";

    public async ValueTask InitializeAsync() => Realm = await Realm.StartAsync(CancellationToken.None);

    public ValueTask DisposeAsync() => Realm.DisposeAsync();
}
