using System.Collections.Frozen;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>Says what the operations of each tag are for. Both servers' tags stand here: what they share must not differ.</summary>
internal sealed class TagDescriptionFilter : IDocumentFilter
{
    private static readonly FrozenDictionary<string, string> Descriptions = new Dictionary<string, string>
    {
        ["Admin tokens"] = "The tokens that open this API, and what each may do.",
        ["Audit"] = "What happened and who did it, in a chain that shows every change made to it.",
        ["Backups"] = "Copies of the data, made while the server runs.",
        ["Blobs"] = "Large encrypted content: its sizes and ages, never what is in it.",
        ["Clients"] = "Accounts and their devices: see, disable, delete, and let in again who lost the password.",
        ["Configuration"] = "The options that the server goes by.",
        ["Connections"] = "Who is connected now, and ending a connection.",
        ["Drain"] = "Emptying the server before it is stopped.",
        ["Health"] = "For load balancers and monitoring; needs no token.",
        ["Jobs"] = "Long work that an admin asked for: how far it is, and ending it early.",
        ["Keys"] = "The realm's keys: their versions and ages, never the keys; and rotating them.",
        ["Limits"] = "Rate limits of single clients.",
        ["Lockouts"] = "Failed logins that slow further ones down, and forgetting them.",
        ["Log"] = "How much the server logs, for a while.",
        ["Mailboxes"] = "What waits for each device: numbers, sizes and ages, never contents; and clearing it away.",
        ["Message servers"] = "The realm's message servers: enrolling, disabling, and new keys.",
        ["One-time tokens"] = "Invites, reset tokens and enrolment tokens, each good for one use.",
        ["Prekeys"] = "How many one-time prekeys devices have left.",
        ["Sessions"] = "Logins that are still good, and ending them.",
        ["Statistics"] = "Figures without personal data.",
        ["Transparency"] = "The log of clients' keys, and the proofs that it only grows.",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public void Apply(OpenApiDocument swaggerDoc, DocumentFilterContext context)
    {
        var used = swaggerDoc.Paths.Values
            .SelectMany(static path => path.Operations ?? [])
            .SelectMany(static operation => operation.Value.Tags ?? new HashSet<OpenApiTagReference>())
            .Select(static tag => tag.Reference.Id)
            .ToHashSet(StringComparer.Ordinal);
        swaggerDoc.Tags = new HashSet<OpenApiTag>(Descriptions
            .Where(tag => used.Contains(tag.Key))
            .OrderBy(static tag => tag.Key, StringComparer.Ordinal)
            .Select(static tag => new OpenApiTag { Name = tag.Key, Description = tag.Value }));
    }
}
