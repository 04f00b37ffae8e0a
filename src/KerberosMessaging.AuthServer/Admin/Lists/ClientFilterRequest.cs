using System.Diagnostics.CodeAnalysis;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Admin;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Admin.Lists;

/// <summary>Which clients are asked for; what is left out filters nothing.</summary>
internal readonly record struct ClientFilterRequest
{
    private const string Active = "active";
    private const string Disabled = "disabled";
    private const string Deleted = "deleted";

    // Sorts after every character that a name can hold.
    private const string AfterAll = "\U0010FFFF";

    // Looking for so many one by one costs less than looking at every client.
    private const int FewSessions = 5000;

    /// <summary>Only clients whose name starts so, in whatever case; deleted ones have no name.</summary>
    [FromQuery(Name = "name")]
    public string? Name { get; init; }

    /// <summary>Only clients in this state: active, disabled or deleted. A disabled client that was deleted is deleted.</summary>
    [FromQuery(Name = "state")]
    public string? State { get; init; }

    /// <summary>Only clients whose mailboxes are on this message server.</summary>
    [FromQuery(Name = "homeServer")]
    public Guid? HomeServer { get; init; }

    /// <summary>Only clients that registered at this time or later, such as 2026-05-04T08:00:00Z.</summary>
    [FromQuery(Name = "createdFrom")]
    public DateTimeOffset? CreatedFrom { get; init; }

    /// <summary>Only clients that registered before this time.</summary>
    [FromQuery(Name = "createdTo")]
    public DateTimeOffset? CreatedTo { get; init; }

    /// <summary>Only clients that were last seen at this time or later.</summary>
    [FromQuery(Name = "lastSeenFrom")]
    public DateTimeOffset? LastSeenFrom { get; init; }

    /// <summary>Only clients that were last seen before this time.</summary>
    [FromQuery(Name = "lastSeenTo")]
    public DateTimeOffset? LastSeenTo { get; init; }

    /// <summary>Adds the conditions to the query.</summary>
    public bool TryAdd(SortedQuery<ClientRow> query, bool includeDeleted, [NotNullWhen(false)] out ValidationProblem? problem)
    {
        problem = null;
        if (Name is not null)
        {
            // What names start with is a name itself.
            if (!ClientName.TryParse(Name, out var start))
            {
                problem = AdminResults.Wrong("name", "No client's name starts so.");
                return false;
            }

            query.Where("\"NameKey\" >= @", start.Key).Where("\"NameKey\" < @", start.Key + AfterAll);
        }

        switch (State)
        {
            case null:
                if (!includeDeleted || Name is not null)
                {
                    query.Where("\"DeletedAt\" IS NULL");
                }

                break;
            case Active:
                query.Where("\"DisabledAt\" IS NULL AND \"DeletedAt\" IS NULL");
                break;
            case Disabled:
                query.Where("\"DisabledAt\" IS NOT NULL AND \"DeletedAt\" IS NULL");
                break;
            case Deleted:
                query.Where("\"DeletedAt\" IS NOT NULL");
                break;
            default:
                problem = AdminResults.Wrong("state", $"One of {Active}, {Disabled}, {Deleted}.");
                return false;
        }

        Add(query, "\"HomeServerId\" = @", HomeServer);
        Add(query, "\"CreatedAt\" >= @", CreatedFrom);
        Add(query, "\"CreatedAt\" < @", CreatedTo);
        Add(query, "\"LastSeenAt\" >= @", LastSeenFrom);
        Add(query, "\"LastSeenAt\" < @", LastSeenTo);
        return true;
    }

    /// <summary>Only clients with a session that lives.</summary>
    public static async Task AddLivingAsync(
        SortedQuery<ClientRow> query, AuthDbContext database, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (await database.Sessions.WhereLiving(now).Take(FewSessions).CountAsync(cancellationToken) < FewSessions)
        {
            query.WhereFew("\"Id\" IN (SELECT \"ClientId\" FROM \"Sessions\" WHERE \"ExpiresAt\" > @ AND \"RevokedAt\" IS NULL)", now);
        }
        else
        {
            query.Where(
                """
                EXISTS (SELECT 1 FROM "Sessions" s WHERE s."ClientId" = "Clients"."Id" AND s."RevokedAt" IS NULL AND s."ExpiresAt" > @)
                """,
                now);
        }
    }

    private static void Add<T>(SortedQuery<ClientRow> query, string condition, T? value)
        where T : struct
    {
        if (value is { } given)
        {
            query.Where(condition, given);
        }
    }
}
