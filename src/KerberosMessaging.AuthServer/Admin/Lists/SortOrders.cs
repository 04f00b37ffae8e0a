using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Admin;
using Microsoft.AspNetCore.Http.HttpResults;

namespace KerberosMessaging.AuthServer.Admin.Lists;

/// <summary>
/// The orders that a list can be asked for in: <c>sort=createdAt</c>, or <c>sort=-createdAt</c> for the opposite. A cursor names
/// its order, and is wrong in any other: the place means nothing there.
/// </summary>
/// <typeparam name="TRow">What is listed.</typeparam>
/// <param name="table">The table.</param>
/// <param name="id">The identifier that breaks ties.</param>
/// <param name="columns">What can be sorted by; the first unless a request says otherwise.</param>
internal sealed class SortOrders<TRow>(string table, Func<TRow, Guid> id, params SortColumn<TRow>[] columns)
    where TRow : class
{
    private const char Descending = '-';

    // No column's name has it.
    private const char EndOfName = ' ';

    /// <summary>Reads which page is asked for.</summary>
    public bool TryRead(
        PageRequest page,
        string? sort,
        [NotNullWhen(true)] out ListPage<TRow>? list,
        [NotNullWhen(false)] out ValidationProblem? problem)
    {
        list = null;
        if (!page.TryReadByKey(out var limit, out var after, out problem))
        {
            return false;
        }

        var isDescending = sort is [Descending, ..];
        var name = isDescending ? sort![1..] : sort ?? columns[0].Name;
        if (Array.Find(columns, column => column.Name == name) is not { } found)
        {
            problem = AdminResults.Wrong(
                "sort", $"One of {string.Join(", ", columns.Select(static column => column.Name))}, with - before it for the opposite order.");
            return false;
        }

        var query = new SortedQuery<TRow>(table, found, isDescending);
        var order = $"{(isDescending ? Descending : "")}{name}{EndOfName}";
        if (after is { } place)
        {
            if (!TryReadPlace(place.SortKey, order, found, out var value))
            {
                problem = AdminResults.Wrong("cursor", "The cursor is not one this list returned in this order; leave it out to start from the beginning.");
                return false;
            }

            query.After(value, place.Id);
        }

        list = new ListPage<TRow>(query, limit, row => PageCursor.Encode(order + Write(found.Value(row)), id(row)));
        return true;
    }

    private static bool TryReadPlace(string key, string order, SortColumn<TRow> column, [NotNullWhen(true)] out object? value)
    {
        value = null;
        if (!key.StartsWith(order, StringComparison.Ordinal))
        {
            return false;
        }

        var text = key[order.Length..];
        if (column.IsText)
        {
            value = text;
            return true;
        }

        if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var milliseconds))
        {
            return false;
        }

        value = milliseconds;
        return true;
    }

    private static string Write(object value) =>
        value is DateTimeOffset time ? time.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture) : (string)value;
}

/// <summary>A page that is asked for.</summary>
/// <typeparam name="TRow">What is listed.</typeparam>
/// <param name="query">Its rows; conditions are added to it.</param>
/// <param name="limit">How many it has at most.</param>
/// <param name="cursor">The cursor after a row.</param>
internal sealed class ListPage<TRow>(SortedQuery<TRow> query, int limit, Func<TRow, string> cursor)
    where TRow : class
{
    public SortedQuery<TRow> Query { get; } = query;

    /// <summary>The rows of the page, and one more where another page follows.</summary>
    public Task<List<TRow>> ReadAsync(AuthDbContext database, CancellationToken cancellationToken) =>
        Query.ToListAsync(database.Set<TRow>(), limit + 1, cancellationToken);

    public Page<T> Show<T>(List<TRow> rows, Func<TRow, T> show) => rows.ToPage(limit, show, cursor);
}
