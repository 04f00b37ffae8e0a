using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace KerberosMessaging.MessageServer.Persistence.Sqlite;

/// <summary>Lets <c>dotnet ef migrations add</c> read the model without starting the server.</summary>
internal sealed class DesignTimeContextFactory : IDesignTimeDbContextFactory<MessageDbContext>
{
    public MessageDbContext CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<MessageDbContext>().UseSqlite("Data Source=design-time.db").Options);
}
