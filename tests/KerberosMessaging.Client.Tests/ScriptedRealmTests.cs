using KerberosMessaging.Client.Tests.Support;

namespace KerberosMessaging.Client.Tests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>While nothing is twisted, the scripted realm works: what the other tests see comes from what they twist.</summary>
public sealed class ScriptedRealmTests : IAsyncDisposable
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 20_000;

    private readonly TempFolder _folder = new();
    private readonly ScriptedRealm _realm = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _realm.DisposeAsync();
        _folder.Dispose();
    }

    [Fact(Timeout = Patience)]
    public async Task An_honest_realm_carries_a_conversation()
    {
        await using var alice = await _realm.JoinAsync(_folder, "alice", Cancel);
        await using var bob = await _realm.JoinAsync(_folder, "bob", Cancel);

        await alice.SendTextAsync("bob", "to bob", Cancel);
        Assert.Equal(["to bob"], await bob.ReadAllAsync(Cancel));
        await bob.SendTextAsync("alice", "to alice", Cancel);
        Assert.Equal(["to alice"], await alice.ReadAllAsync(Cancel));

        await alice.LogoutAsync(everywhere: false, Cancel);
    }
}
