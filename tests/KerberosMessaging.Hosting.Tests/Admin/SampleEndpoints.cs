using System.ComponentModel.DataAnnotations;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Admin.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace KerberosMessaging.Hosting.Tests.Admin;

internal static class SampleEndpoints
{
    public const string Secret = "the-secret-text-of-an-exception";

    /// <summary>120 rows; five share each time, so that only the identifier tells them apart.</summary>
    public static IReadOnlyList<SampleRow> Rows { get; } =
        [.. Enumerable.Range(0, 120)
            .Select(static i => new SampleRow(
                new Guid(i * 7919, 0, 0, new byte[8]), $"name-{i:d3}", SampleState.OnHold, DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000 + (i / 5))))
            .OrderBy(static row => row.CreatedAt).ThenBy(static row => row.Id)];

    public static void Map(RouteGroupBuilder admin)
    {
        admin.RequireAnyToken();
        admin.MapGet("/rows", ListRows);
        admin.MapGet("/rows-by-name", ListRowsByName);
        admin.MapGet("/rows/{id:guid}", GetRow);
        admin.MapPost("/rows", CreateRow);
        admin.MapGet("/failing", Fail);
    }

    /// <summary>Lists rows, oldest first.</summary>
    private static Results<Ok<Page<SampleRow>>, ValidationProblem> ListRows([AsParameters] PageRequest page)
    {
        if (!page.TryRead(out var limit, out var after, out var problem))
        {
            return problem;
        }

        var rows = Rows
            .Where(row => after is not { } last || (row.CreatedAt.ToUnixTimeMilliseconds(), row.Id).CompareTo((last.CreatedAtMs, last.Id)) > 0)
            .Take(limit + 1).ToArray();
        return TypedResults.Ok(rows.ToPage(
            limit, static row => row, static row => PageCursor.Encode(row.CreatedAt.ToUnixTimeMilliseconds(), row.Id)));
    }

    private static Results<Ok<Page<SampleRow>>, ValidationProblem> ListRowsByName([AsParameters] PageRequest page, SampleState? state)
    {
        if (!page.TryReadByKey(out var limit, out var after, out var problem))
        {
            return problem;
        }

        var rows = Rows
            .Where(row => state is null || row.State == state)
            .OrderBy(static row => row.Name, StringComparer.Ordinal)
            .Where(row => after is not { } last || string.CompareOrdinal(row.Name, last.SortKey) > 0)
            .Take(limit + 1).ToArray();
        return TypedResults.Ok(rows.ToPage(limit, static row => row, static row => PageCursor.Encode(row.Name, row.Id)));
    }

    private static Results<Ok<SampleRow>, NotFound> GetRow(Guid id) =>
        Rows.FirstOrDefault(row => row.Id == id) is { } row ? TypedResults.Ok(row) : TypedResults.NotFound();

    private static Ok<NewRow> CreateRow(NewRow row) => TypedResults.Ok(row);

    private static Ok Fail() => throw new InvalidOperationException(Secret);
}

internal enum SampleState
{
    Active,
    OnHold,
}

/// <summary>A row.</summary>
internal sealed record SampleRow(Guid Id, string Name, SampleState State, DateTimeOffset CreatedAt);

/// <summary>A row to make.</summary>
/// <param name="DisplayName">Its name.</param>
/// <param name="State">Its state.</param>
/// <param name="At">When.</param>
/// <param name="Days">How long.</param>
public sealed record NewRow([StringLength(10, MinimumLength = 2)] string DisplayName, SampleLevel State, DateTimeOffset? At, [Range(1, 30)] int Days = 7);

/// <summary>A level.</summary>
public enum SampleLevel
{
    /// <summary>Low.</summary>
    Low,

    /// <summary>High.</summary>
    High,
}
