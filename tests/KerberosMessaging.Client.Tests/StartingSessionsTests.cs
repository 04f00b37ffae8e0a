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
    public async Task A_session_takes_one_one_time_prekey_of_each_kind_which_is_erased_when_its_first_message_was_read()
    {
        await using var alice = await _realm.JoinAsync(_folder, "alice", Cancel);
        await using var bob = await _realm.JoinAsync(_folder, "bob", Cancel);
        var stock = _realm.Find("bob").OneTimePrekeys[bob.Device];
        Assert.Equal(200, stock.Count);

        await alice.SendTextAsync("bob", "hello", Cancel);

        Assert.Equal(198, stock.Count);
        Assert.Equal("hello", Assert.Single(await bob.ReadAllAsync(Cancel)));
    }

    [Theory(Timeout = Patience)]
    [InlineData(OneTimePrekeyKind.X25519)]
    [InlineData(OneTimePrekeyKind.MlKem768)]
    public async Task One_time_prekeys_that_a_server_made_up_are_not_encrypted_to(OneTimePrekeyKind kind)
    {
        await using var alice = await _realm.JoinAsync(_folder, "alice", Cancel);
        await using var bob = await _realm.JoinAsync(_folder, "bob", Cancel);
        _realm.Message.Twist(MessageCode.FetchPrekeys, reply =>
        {
            // An X25519 key of zeros agrees with nothing; the ML-KEM key has no signature.
            var bundle = ((PrekeysReply)reply!).Bundles[0];
            OneTimePrekey key = kind == OneTimePrekeyKind.X25519
                ? new(kind, 1, new byte[32])
                : bundle.OneTimePrekeys[^1] with { Key = [.. bundle.OneTimePrekeys[^1].Key[..1184], .. new byte[64]] };
            return new PrekeysReply([bundle with { OneTimePrekeys = [key] }]);
        });

        await Refusal.OfAsync(MessagingFailure.UntrustedServer, () => alice.SendTextAsync("bob", "hello", Cancel));

        Assert.DoesNotContain(_realm.Message.Requests, static request => request.Code == MessageCode.SendMessage);
    }
}
