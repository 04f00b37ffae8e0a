using Microsoft.Net.Http.Headers;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>The condition of an <c>If-Match</c> header (RFC 9110 section 13.1.1), to be judged in the transaction that makes the change.</summary>
public readonly record struct Precondition
{
    private readonly IReadOnlyList<string>? _tags;

    private Precondition(IReadOnlyList<string> tags) => _tags = tags;

    /// <summary>Holds whatever the state is.</summary>
    public static Precondition None => default;

    /// <summary>Reads the header. One that cannot be read never holds: whoever sent it wanted to be careful.</summary>
    /// <param name="ifMatch">The header's value; null for none.</param>
    public static Precondition Parse(string? ifMatch)
    {
        if (ifMatch is null)
        {
            return None;
        }

        // Weak tags do not match: the comparison is the strong one.
        return EntityTagHeaderValue.TryParseStrictList([ifMatch], out var parsed)
            ? new Precondition([.. parsed.Where(static tag => !tag.IsWeak).Select(static tag => tag.Tag.Value ?? "")])
            : new Precondition([]);
    }

    /// <summary>Whether the change may be made to what exists in this state.</summary>
    /// <param name="current">The state's tag.</param>
    public bool Holds(EntityTag current) => _tags is null || _tags.Contains("*") || _tags.Contains(current.ToString());
}
