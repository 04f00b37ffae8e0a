using KerberosMessaging.Hosting.Startup;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.MessageServer.Persistence.Sqlite;

/// <summary>Brings the database up to date before anything uses it.</summary>
internal static class SqliteStartup
{
    /// <summary>Applies the migrations that are missing.</summary>
    /// <exception cref="StartupException">The database cannot be used.</exception>
    public static async Task MigrateAsync(IServiceProvider services)
    {
        var database = services.GetRequiredService<SqliteDatabase>();
        services.GetRequiredService<DataFolderLock>();
        try
        {
            await using var context = await services.GetRequiredService<IDbContextFactory<MessageDbContext>>().CreateDbContextAsync();

            // EF Core writes its lock before it looks. What is up to date is only read, so that a server starts on a full disk.
            if ((await context.Database.GetPendingMigrationsAsync()).Any())
            {
                await ForgetBrokenOffMigrationAsync(context);
                await context.Database.MigrateAsync();
            }
        }
        catch (SqliteException e)
        {
            throw new StartupException($"the database '{database.Path}' cannot be used: {e.Message}", e);
        }
    }

    // A server killed while it migrated leaves EF Core's lock behind, and the next would wait for it for ever. No other
    // server migrates here now: this one holds the folder's lock.
    private static async Task ForgetBrokenOffMigrationAsync(MessageDbContext context)
    {
        var tables = await context.Database
            .SqlQuery<int>($"SELECT COUNT(*) AS Value FROM sqlite_master WHERE type = 'table' AND name = '__EFMigrationsLock'")
            .SingleAsync();
        if (tables > 0)
        {
            await context.Database.ExecuteSqlAsync($"DELETE FROM __EFMigrationsLock");
        }
    }
}
