using System.Text;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client;

/// <summary>Client names as the realm sees them.</summary>
internal static class ClientNames
{
    /// <summary>Gives the name back if it can be sent at all; whether the realm allows it is the realm's decision.</summary>
    /// <exception cref="MessagingException">It cannot.</exception>
    public static string Check(string name) => IsWellFormed(name) && Encoding.UTF8.GetByteCount(name) is > 0 and <= ProtocolLimits.NameBytes
        ? name
        : throw new MessagingException(MessagingFailure.NameInvalid, $"a name has 1 to {ProtocolLimits.NameBytes} bytes");

    /// <summary>Whether two names are one client's: the realm compares them in form NFKC with case folded.</summary>
    public static bool AreSame(string a, string b) => IsWellFormed(a) && IsWellFormed(b) && Key(a) == Key(b);

    /// <summary>Whether a text can be sent and normalised.</summary>
    // Normalize throws on ill-formed UTF-16, which reads as U+FFFD here, and on the noncharacter U+FFFE.
    public static bool IsWellFormed(string text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune == Rune.ReplacementChar || rune.Value == 0xFFFE)
            {
                return false;
            }
        }

        return true;
    }

    // Full case folding, but İ is i, as docs/protocol.md has it. The realm makes sure that nothing else needs more than this.
    private static string Key(string name) => name
        .Normalize(NormalizationForm.FormKC)
        .Replace('İ', 'I')
        .Normalize(NormalizationForm.FormD)
        .Replace("ß", "ss", StringComparison.Ordinal)
        .Replace("ẞ", "ss", StringComparison.Ordinal)
        .Replace('ς', 'σ')
        .Replace('\u0345', 'ι')
        .ToLowerInvariant()
        .Normalize(NormalizationForm.FormKC);
}
