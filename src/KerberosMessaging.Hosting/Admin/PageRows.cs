namespace KerberosMessaging.Hosting.Admin;

/// <summary>Makes a page from rows.</summary>
public static class PageRows
{
    /// <summary>
    /// Makes a page from rows read with one more than the limit: the row too many tells that another page follows, without
    /// counting and without a last page that turns out empty.
    /// </summary>
    /// <typeparam name="TRow">What was read.</typeparam>
    /// <typeparam name="T">What is listed.</typeparam>
    /// <param name="rows">Up to <paramref name="limit"/> + 1 rows.</param>
    /// <param name="limit">The page size.</param>
    /// <param name="show">Turns a row into what is listed.</param>
    /// <param name="cursor">The cursor after a row.</param>
    /// <returns>The page.</returns>
    public static Page<T> ToPage<TRow, T>(
        this IReadOnlyList<TRow> rows, int limit, Func<TRow, T> show, Func<TRow, string> cursor)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentNullException.ThrowIfNull(show);
        ArgumentNullException.ThrowIfNull(cursor);

        var items = rows.Take(limit).Select(show).ToArray();
        return new Page<T>(items, rows.Count > limit ? cursor(rows[limit - 1]) : null);
    }
}
