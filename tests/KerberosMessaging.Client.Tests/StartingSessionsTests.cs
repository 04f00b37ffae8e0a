using KerberosMessaging.Client.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Client.Tests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

public sealed class StartingSessionsTests : IAsyncDisposable
{
    private const int Patience = 60_000;

    private readonly TempFolder _folder = new();
    private readonly ScriptedRealm _realm = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private int Fetches => _realm.Message.Requests.Count(static request => request.Code == MessageCode.FetchPrekeys);

    public async ValueTask DisposeAsync()
    {
        await _realm.DisposeAsync();
        _folder.Dispose();
    }

    [Fact(Timeout = Patience)]
    public async Task Messages_sent_at_once_to_somebody_new_fetch_prekeys_once()
    {
        await using var alice = await _realm.JoinAsync(_folder, "alice", Cancel);
        await using var bob = await _realm.JoinAsync(_folder, "bob", Cancel);

        await Task.WhenAll(Enumerable.Range(0, 30).Select(i => alice.SendTextAsync("bob", $"message {i}", Cancel)));

        Assert.Equal(1, Fetches);
        Assert.Equal(30, _realm.Message.Requests.Count(static request => request.Code == MessageCode.SendMessage));
    }

    [Fact(Timeout = Patience)]
    public async Task One_time_prekeys_that_a_server_gives_are_passed_over()
    {
        await using var alice = await _realm.JoinAsync(_folder, "alice", Cancel);
        await using var bob = await _realm.JoinAsync(_folder, "bob", Cancel);
        _realm.Message.Twist(MessageCode.FetchPrekeys, static reply =>
        {
            var bundle = ((PrekeysReply)reply!).Bundles[0];
            OneTimePrekey[] keys =
                [new(OneTimePrekeyKind.X25519, 1, new byte[32]), new(OneTimePrekeyKind.MlKem768, 1, new byte[1248])];
            return new PrekeysReply([bundle with { OneTimePrekeys = keys }]);
        });

        var sent = await alice.SendTextAsync("bob", "hello", Cancel);

        Assert.Equal(1, sent.Devices);
    }
}
