using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.MessageServer.Persistence.Sqlite;
using KerberosMessaging.MessageServer.Tests.Support;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.MessageServer.Tests.Stores;

public sealed class MigrationTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly TestRealm _realm = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _realm.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_server_that_an_earlier_version_enrolled_keeps_its_membership()
    {
        await using (var context = new TestContexts(_folder.File("message.db")).CreateDbContext())
        {
            await context.Database.MigrateAsync("Initial", Cancellation);
        }

        var protection = TestRealm.ProtectionIn(_folder.FullName);
        using (var seed = _realm.ServerKey.ExportSeed())
        using (var connection = new SqliteDatabase(_folder.File("message.db")).Open())
        using (var insert = connection.CreateCommand())
        {
            insert.CommandText =
                """
                INSERT INTO "ServerIdentities" ("Id", "ServerId", "SealedSigningSeed", "SealedServiceKey", "KeyVersion", "RealmSigningKey", "EnrolledAt")
                VALUES (1, $server, $seed, $key, 5, $realm, 1)
                """;
            insert.Parameters.AddWithValue("$server", _realm.Server.Value.ToByteArray(bigEndian: true));
            insert.Parameters.AddWithValue("$seed", Sealing.Seal(protection.CreateProtector("KerberosMessaging.MessageServer", "signing seed", "v1"), seed));
            insert.Parameters.AddWithValue(
                "$key", Sealing.Seal(protection.CreateProtector("KerberosMessaging.MessageServer", "service key", "v1"), _realm.ServiceKey));
            insert.Parameters.AddWithValue("$realm", _realm.Key.PublicKey.ToArray());
            insert.ExecuteNonQuery();
        }

        await using (var context = new TestContexts(_folder.File("message.db")).CreateDbContext())
        {
            await context.Database.MigrateAsync(Cancellation);
        }

        var loaded = await TestRealm.StoreIn(_folder.FullName).LoadAsync(Cancellation);
        Assert.NotNull(loaded);
        Assert.Equal(_realm.Server, loaded.Server);
        Assert.Equal(_realm.ServerKey.PublicKey.ToArray(), loaded.SigningKey.PublicKey.ToArray());
        Assert.Equal(_realm.Key.PublicKey.ToArray(), loaded.RealmKey);
        Assert.Equal(_realm.ServiceKey.Span, Assert.Single(loaded.Keys.ServiceKeys, static key => key.Key == 5).Value.Span);
        Assert.Empty(loaded.Keys.TicketSigningKeys);

        await using (var context = new TestContexts(_folder.File("message.db")).CreateDbContext())
        {
            await context.Database.MigrateAsync("Initial", Cancellation);
        }

        using (var connection = new SqliteDatabase(_folder.File("message.db")).Open())
        using (var select = connection.CreateCommand())
        {
            select.CommandText = """SELECT "KeyVersion", "RealmSigningKey", length("SealedServiceKey") FROM "ServerIdentities";""";
            using SqliteDataReader reader = select.ExecuteReader();
            Assert.True(reader.Read());
            Assert.Equal(5, reader.GetInt64(0));
            Assert.Equal(_realm.Key.PublicKey.ToArray(), reader.GetFieldValue<byte[]>(1));
            Assert.True(reader.GetInt64(2) > 32);
        }
    }
}
