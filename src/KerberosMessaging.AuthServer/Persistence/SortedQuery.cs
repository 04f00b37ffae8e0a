using System.Globalization;
using System.Text;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Persistence;

/// <summary>
/// One page of a table: the rows that come after a place in a sorted index and fit all conditions. It is SQL of its own, since
/// EF Core cannot compare identifiers, and SQLite, which keeps no statistics here, would often choose another index and sort the
/// whole table for each page. Reading on in the sort's own index is cheap where that has the columns of the conditions: rows that
/// do not fit are not read from the table then.
/// </summary>
/// <typeparam name="TRow">What is listed.</typeparam>
internal sealed class SortedQuery<TRow>(string table, SortColumn<TRow> sort, bool isDescending)
    where TRow : class
{
    private readonly StringBuilder _conditions = new();
    private readonly List<object> _values = [];
    private string _index = $"""INDEXED BY "{sort.Index}" """;

    /// <summary>Only rows after this place in the order.</summary>
    public SortedQuery<TRow> After(object value, Guid id)
    {
        var place = $"({Add(value)}, {Add(id)})";
        return And($"""("{sort.Column}", "Id") {(isDescending ? '<' : '>')} {place}""");
    }

    /// <summary>Only rows that fit: SQL, in which each <c>@</c> is the value.</summary>
    public SortedQuery<TRow> Where(string condition, object? value = null) =>
        And(value is null ? condition : condition.Replace("@", Add(value), StringComparison.Ordinal));

    /// <summary>Only rows that fit, which are few and found by another index: these are sorted, instead of reading in order.</summary>
    public SortedQuery<TRow> WhereFew(string condition, object value)
    {
        _index = "";
        return Where(condition, value);
    }

    public Task<List<TRow>> ToListAsync(DbSet<TRow> rows, int limit, CancellationToken cancellationToken)
    {
        var direction = isDescending ? " DESC" : "";
        var sql = string.Create(
            CultureInfo.InvariantCulture,
            $"""
            SELECT * FROM "{table}" {_index}WHERE TRUE{_conditions}
            ORDER BY "{sort.Column}"{direction}, "Id"{direction} LIMIT {limit}
            """);
        return rows.FromSqlRaw(sql, [.. _values]).AsNoTracking().ToListAsync(cancellationToken);
    }

    private SortedQuery<TRow> And(string condition)
    {
        _conditions.Append(" AND ").Append(condition);
        return this;
    }

    private string Add(object value)
    {
        _values.Add(value switch
        {
            Guid id => id.ToByteArray(bigEndian: true),
            DateTimeOffset time => time.ToUnixTimeMilliseconds(),
            _ => value,
        });
        return string.Create(CultureInfo.InvariantCulture, $"{{{_values.Count - 1}}}");
    }
}
