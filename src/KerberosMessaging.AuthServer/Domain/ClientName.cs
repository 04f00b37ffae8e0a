using System.Diagnostics.CodeAnalysis;
using System.Text;
using KerberosMessaging.AuthServer.Domain.Names;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>
/// A client name: shown as registered (in Unicode form NFKC), compared without regard to case, and registered once only among
/// all that look like it. <see cref="NameRules"/> says which texts are names. At most 64 bytes of UTF-8.
/// </summary>
internal readonly record struct ClientName
{
    private ClientName(string display, string key) => (Display, Key) = (display, key);

    /// <summary>The name as shown.</summary>
    public string Display { get; }

    /// <summary>The name as compared: with case folded, in NFKC.</summary>
    public string Key { get; }

    /// <summary>
    /// What names that look alike have in common, whatever their case; two names with one skeleton must not both be registered.
    /// It is made from the name as shown, and is for comparison only. Newer data of Unicode would change it: skeletons made with
    /// different data do not compare. At most 150 UTF-16 code units.
    /// </summary>
    public string Skeleton => Lookalikes.Skeleton(Display);

    /// <summary>What names the client's credential to OPAQUE for ever: the key in UTF-8.</summary>
    public byte[] CredentialIdentifier => Encoding.UTF8.GetBytes(Key);

    public static bool TryParse(string text, out ClientName name)
    {
        name = default;
        if (!TryNormalise(text, out var display)
            || Encoding.UTF8.GetByteCount(display) > ProtocolLimits.NameBytes
            || !NameRules.Allow(display))
        {
            return false;
        }

        var key = CaseFolding.Fold(display);
        if (Encoding.UTF8.GetByteCount(key) > ProtocolLimits.NameBytes || !NameRules.Allow(key))
        {
            return false;
        }

        name = new ClientName(display, key);
        return true;
    }

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
