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

    /// <summary>Whether two well-formed names are one client's: the realm compares them in form NFKC, without regard to case.</summary>
    public static bool AreSame(string a, string b) => Key(a) == Key(b);

    /// <summary>Whether a text has no half characters, which UTF-8 cannot hold.</summary>
    public static bool IsWellFormed(string text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune == Rune.ReplacementChar)
            {
                return false;
            }
        }

        return true;
    }

    private static string Key(string name) =>
        name.Normalize(NormalizationForm.FormKC).ToLowerInvariant().Normalize(NormalizationForm.FormKC);
}
