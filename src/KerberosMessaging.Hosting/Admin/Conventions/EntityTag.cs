using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>
/// A strong entity tag (RFC 9110 section 8.8.3). It is made of what an admin can change and of nothing else: a time of last use
/// would make every tag stale before it comes back.
/// </summary>
public readonly record struct EntityTag
{
    // 128 bits: two states of one resource never meet.
    private const int HashLength = 16;

    private readonly string? _text;

    private EntityTag(string text) => _text = text;

    /// <summary>The tag of a state.</summary>
    /// <param name="values">The administrative state, always the same members in the same order.</param>
    public static EntityTag Of(params ReadOnlySpan<object?> values)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var value in values)
        {
            // With its length, so that no two states have the same bytes; -1 is for nothing.
            var text = value switch
            {
                null => null,
                DateTimeOffset time => time.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture),
                byte[] bytes => Convert.ToHexString(bytes),
                _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
            };
            var encoded = Encoding.UTF8.GetBytes(text ?? "");
            hash.AppendData(BitConverter.GetBytes(text is null ? -1 : encoded.Length));
            hash.AppendData(encoded);
        }

        return new EntityTag($"\"{Base64Url.EncodeToString(hash.GetHashAndReset().AsSpan(0, HashLength))}\"");
    }

    /// <summary>Sends the tag with a reply, as <c>ETag</c>.</summary>
    /// <param name="response">The reply, not yet begun.</param>
    public void SendWith(HttpResponse response)
    {
        ArgumentNullException.ThrowIfNull(response);
        response.Headers.ETag = ToString();
    }

    /// <summary>As in the header, in quotes.</summary>
    public override string ToString() => _text ?? "\"\"";
}
