using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using KerberosMessaging.Hosting.Audit;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>A security event.</summary>
/// <param name="Sequence" example="1024">Its number: 1, 2, 3 and so on, without gaps.</param>
/// <param name="At" example="2026-05-04T08:15:30.250Z">When it happened.</param>
/// <param name="Kind" example="clientDisabled">What happened.</param>
/// <param name="Result" example="done">How it ended.</param>
/// <param name="Actor" example="admin first">Who did it: a client, a server, an admin, anonymous or system.</param>
/// <param name="Address" example="127.0.0.1">The IP address that it came from; empty for the server itself.</param>
/// <param name="Target" example="client 0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">What it was done to.</param>
/// <param name="Detail" example="2 sessions ended">More, where there is more.</param>
/// <param name="Correlation" example="0HNJ4M2L9QK7T:00000003">Joins what happened in one connection or one admin request.</param>
/// <param name="Hash" example="8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4">HMAC-SHA-256 over the row and the hash before it, hexadecimal.</param>
internal sealed record AuditView(
    long Sequence,
    DateTimeOffset At,
    AuditKind Kind,
    AuditResult Result,
    string Actor,
    string Address,
    string Target,
    string Detail,
    string Correlation,
    string Hash)
{
    public static AuditView Of(AuditRow row) => new(
        row.Sequence,
        row.At,
        row.Kind,
        row.Result,
        row.Actor,
        row.Address,
        row.Target,
        row.Detail,
        row.Correlation,
        Convert.ToHexStringLower(row.Hash));
}

/// <summary>What a check of the whole audit log found.</summary>
/// <param name="Rows" example="1024">How many rows were checked.</param>
/// <param name="Intact" example="true">Whether every row and the end are as they were written.</param>
/// <param name="BrokenAt" example="513">The first row that is missing, changed or not the server's; null for an intact log.</param>
/// <param name="Head" example="8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4">The hash of the last row that was checked, hexadecimal.</param>
internal sealed record AuditVerificationView(long Rows, bool Intact, long? BrokenAt, string Head);

/// <summary>Which events are asked for; what is left out filters nothing.</summary>
internal readonly record struct AuditFilterRequest
{
    /// <summary>What happened, as the list shows it, such as loginFailed.</summary>
    [FromQuery(Name = "kind")]
    public string? Kind { get; init; }

    /// <summary>Part of who did it, such as an id.</summary>
    [FromQuery(Name = "actor")]
    public string? Actor { get; init; }

    /// <summary>Part of what it was done to, such as an id; searched in the detail too.</summary>
    [FromQuery(Name = "target")]
    public string? Target { get; init; }

    /// <summary>The IP address that it came from, in full.</summary>
    [FromQuery(Name = "address")]
    public string? Address { get; init; }

    /// <summary>How it ended: done or refused.</summary>
    [FromQuery(Name = "result")]
    public string? Result { get; init; }

    /// <summary>Not before this time, such as 2026-05-04T08:00:00Z.</summary>
    [FromQuery(Name = "from")]
    public DateTimeOffset? From { get; init; }

    /// <summary>Before this time.</summary>
    [FromQuery(Name = "to")]
    public DateTimeOffset? To { get; init; }

    /// <summary>The correlation of one connection or one admin request, in full.</summary>
    [FromQuery(Name = "correlation")]
    public string? Correlation { get; init; }

    /// <summary>Reads the request.</summary>
    public bool TryRead([NotNullWhen(true)] out AuditFilter? filter, [NotNullWhen(false)] out ValidationProblem? problem)
    {
        filter = null;
        if (!TryParse<AuditKind>(Kind, "kind", out var kind, out problem) || !TryParse<AuditResult>(Result, "result", out var result, out problem))
        {
            return false;
        }

        filter = new AuditFilter(kind, Actor, Target, Address, result, From, To, Correlation);
        return true;
    }

    // The framework would take numbers, and names only in the letter case of the code.
    private static bool TryParse<T>(string? text, string field, out T? value, [NotNullWhen(false)] out ValidationProblem? problem)
        where T : struct, Enum
    {
        (value, problem) = (null, null);
        if (text is null)
        {
            return true;
        }

        var names = Enum.GetNames<T>();
        if (names.Contains(text, StringComparer.OrdinalIgnoreCase))
        {
            value = Enum.Parse<T>(text, ignoreCase: true);
            return true;
        }

        problem = AdminResults.Wrong(field, $"One of {string.Join(", ", names.Select(JsonNamingPolicy.CamelCase.ConvertName))}.");
        return false;
    }
}
