using KerberosMessaging.MessageServer.Persistence;
using KerberosMessaging.MessageServer.Persistence.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.MessageServer.Tests.Support;

/// <summary>Opens the server's database beside the server.</summary>
internal sealed class TestContexts(string path) : IDbContextFactory<MessageDbContext>
{
    public MessageDbContext CreateDbContext() => new(new DbContextOptionsBuilder<MessageDbContext>()
        .UseSqlite(new SqliteDatabase(path).ConnectionString)
        .AddInterceptors(new PragmaInterceptor())
        .Options);
}
