using KerberosMessaging.Hosting.Admin;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Admin;

/// <summary>Keyset paging by time and identifier, in SQL because EF Core cannot compare identifiers; SQLite and PostgreSQL both have row values.</summary>
internal static class KeysetPaging
{
    /// <summary>The rows after a position, in order.</summary>
    /// <param name="rows">The table.</param>
    /// <param name="table">Its name: a constant of ours, never input.</param>
    /// <param name="timeColumn">The column sorted by: a constant of ours, never input.</param>
    /// <param name="after">Where to start; null for the beginning.</param>
    /// <param name="count">How many rows at most.</param>
    public static IQueryable<T> After<T>(this DbSet<T> rows, string table, string timeColumn, PagePosition? after, int count)
        where T : class
    {
        var order = $"""
            ORDER BY "{timeColumn}", "Id" LIMIT
            """;
        return (after is { } position
            ? rows.FromSqlRaw(
                $$"""SELECT * FROM "{{table}}" WHERE ("{{timeColumn}}", "Id") > ({0}, {1}) {{order}} {2}""",
                position.CreatedAtMs,
                position.Id.ToByteArray(bigEndian: true),
                count)
            : rows.FromSqlRaw($$"""SELECT * FROM "{{table}}" {{order}} {0}""", count)).AsNoTracking();
    }
}
