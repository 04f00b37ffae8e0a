using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>
/// Which page of a list is asked for; bind it with <c>[AsParameters]</c> and read it with
/// <see cref="TryRead(out int, out PagePosition?, out ValidationProblem?)"/>.
/// </summary>
public readonly record struct PageRequest
{
    /// <summary>The page size when the request names none.</summary>
    public const int DefaultLimit = 50;

    /// <summary>The largest page size.</summary>
    public const int MaxLimit = 200;

    /// <summary>How many items to return at most; 50 unless given.</summary>
    /// <example>50</example>
    [FromQuery(Name = "limit")]
    [DefaultValue(DefaultLimit)]
    [Range(1, MaxLimit)]
    public int? Limit { get; init; }

    /// <summary>The <c>next</c> value of the page before; leave it out for the first page.</summary>
    [FromQuery(Name = "cursor")]
    public string? Cursor { get; init; }

    /// <summary>Reads the request for a list sorted by time and identifier.</summary>
    /// <param name="limit">How many items to return at most.</param>
    /// <param name="after">The row to start after, or <see langword="null"/> for the first page.</param>
    /// <param name="problem">The answer to give when the request is wrong; it names the field.</param>
    /// <returns>Whether the request is right.</returns>
    public bool TryRead(out int limit, out PagePosition? after, [NotNullWhen(false)] out ValidationProblem? problem)
    {
        after = null;
        var cursorIsRight = string.IsNullOrEmpty(Cursor);
        if (PageCursor.TryDecode(Cursor, out long createdAtMs, out var id))
        {
            after = new PagePosition(createdAtMs, id);
            cursorIsRight = true;
        }

        return TryRead(out limit, cursorIsRight, out problem);
    }

    /// <summary>Reads the request for a list sorted by a text and identifier.</summary>
    /// <inheritdoc cref="TryRead(out int, out PagePosition?, out ValidationProblem?)" />
    public bool TryReadByKey(out int limit, out PageKeyPosition? after, [NotNullWhen(false)] out ValidationProblem? problem)
    {
        after = null;
        var cursorIsRight = string.IsNullOrEmpty(Cursor);
        if (PageCursor.TryDecode(Cursor, out string sortKey, out var id))
        {
            after = new PageKeyPosition(sortKey, id);
            cursorIsRight = true;
        }

        return TryRead(out limit, cursorIsRight, out problem);
    }

    private bool TryRead(out int limit, bool cursorIsRight, [NotNullWhen(false)] out ValidationProblem? problem)
    {
        limit = Limit ?? DefaultLimit;
        var errors = new Dictionary<string, string[]>();
        if (limit is < 1 or > MaxLimit)
        {
            errors["limit"] = [string.Create(CultureInfo.InvariantCulture, $"The limit must be between 1 and {MaxLimit}.")];
        }

        if (!cursorIsRight)
        {
            errors["cursor"] = ["The cursor is not one this list returned; leave it out to start from the beginning."];
        }

        problem = errors.Count == 0 ? null : TypedResults.ValidationProblem(errors);
        return problem is null;
    }
}
