using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>
/// A client name: shown as registered (in Unicode form NFKC), compared without regard to case. It starts with a letter or
/// digit; further characters are letters, digits, combining marks, full stop, underscore and hyphen. At most 64 bytes of UTF-8.
/// </summary>
internal readonly record struct ClientName
{
    private ClientName(string display, string key) => (Display, Key) = (display, key);

    /// <summary>The name as shown.</summary>
    public string Display { get; }

    /// <summary>The name as compared: NFKC, lower case, NFKC again.</summary>
    public string Key { get; }

    public string Skeleton => Key;

    /// <summary>What names the client's credential to OPAQUE for ever: the key in UTF-8.</summary>
    public byte[] CredentialIdentifier => Encoding.UTF8.GetBytes(Key);

    public static bool TryParse(string text, out ClientName name)
    {
        name = default;
        if (!TryNormalise(text, out var display)
            || !TryNormalise(display.ToLowerInvariant(), out var key)
            || display.Length == 0
            || Encoding.UTF8.GetByteCount(display) > ProtocolLimits.NameBytes
            || Encoding.UTF8.GetByteCount(key) > ProtocolLimits.NameBytes)
        {
            return false;
        }

        var isFirst = true;
        foreach (var rune in display.EnumerateRunes())
        {
            if (!(Rune.IsLetterOrDigit(rune) || (!isFirst && IsAllowedInside(rune))))
            {
                return false;
            }

            isFirst = false;
        }

        name = new ClientName(display, key);
        return true;
    }

    private static bool IsAllowedInside(Rune rune) =>
        rune.Value is '.' or '_' or '-'
        || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;

    // Normalize throws on ill-formed UTF-16, which reads as U+FFFD here, and on the noncharacter U+FFFE, which UTF-8 from
    // the wire may well hold.
    private static bool TryNormalise(string text, [NotNullWhen(true)] out string? normalised)
    {
        normalised = null;
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune == Rune.ReplacementChar || rune.Value == 0xFFFE)
            {
                return false;
            }
        }

        normalised = text.Normalize(NormalizationForm.FormKC);
        return true;
    }
}
