using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;

namespace KerberosMessaging.MessageServer.Tests.Faults;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>Another program writes in the server's database for some seconds: a backup, a look with sqlite3.</summary>
public sealed class LockTests
{
    private const int Patience = 120_000;
    private const int MostLines = 10;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = Patience)]
    public async Task While_another_program_holds_the_database_senders_are_told_to_come_again_and_later_all_is_well()
    {
        await using var store = await FaultyStore.StartAsync(prepare: null);
        await using var alice = await store.SignInAsync(store.Alice);
        await using var bob = await store.SignInAsync(store.Bob);
        await bob.GrantAsync(1000, Cancellation);
        await FaultyStore.PassAsync(alice, bob, store.Bob);
        var kept = new List<SendMessageRequest> { TestClient.Message(store.Carol) };
        await FaultyStore.SendUntilAcceptedAsync(alice, kept[0]);

        var message = TestClient.Message(store.Carol);
        kept.Add(message);
        using (var other = store.Open())
        {
            Execute(other, "BEGIN EXCLUSIVE");
            for (var i = 0; i < 3; i++)
            {
                var refusal = await FaultyStore.TrySendAsync(alice, message);
                Assert.Equal((ProtocolError.Busy, TimeSpan.FromSeconds(1)), (refusal?.Error, refusal?.RetryAfter));
                await FaultyStore.PassAsync(alice, bob, store.Bob);
            }

            // Who was not here lately cannot be let in now.
            var refused = await Assert.ThrowsAsync<RequestRefusedException>(() => store.SignInAsync(TestDevice.Of("dave")));
            Assert.Equal(ProtocolError.Busy, refused.Error);
            Execute(other, "ROLLBACK");
        }

        await FaultyStore.SendUntilAcceptedAsync(alice, message);
        await (await store.SignInAsync(TestDevice.Of("dave"))).DisposeAsync();
        await store.AssertHasAllAsync(store.Carol, kept);
        Assert.InRange(store.Server.Lines.Count, 1, MostLines);
    }

    private static void Execute(Microsoft.Data.Sqlite.SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
