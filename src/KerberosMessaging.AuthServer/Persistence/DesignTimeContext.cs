using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace KerberosMessaging.AuthServer.Persistence;

/// <summary>Lets <c>dotnet ef migrations add</c> build the model without starting a server.</summary>
internal sealed class DesignTimeContext : IDesignTimeDbContextFactory<AuthDbContext>
{
    public AuthDbContext CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<AuthDbContext>().UseSqlite("Data Source=design-time.db").Options);
}
