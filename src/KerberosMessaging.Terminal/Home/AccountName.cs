using System.Globalization;
using System.Text;

namespace KerberosMessaging.Terminal.Home;

/// <summary>
/// Turns a client name into the name of its folder. Names are compared without regard to case or Unicode form, so folders are
/// named in one form; what no client name contains, but a typing error may, is escaped, so that it cannot name another place.
/// </summary>
internal static class AccountName
{
    // The longest name that a realm takes. Escaped it still fits the 255 bytes of a file name.
    private const int MaxBytes = 64;

    public static string ToFolder(string name)
    {
        var key = Normalise(name);
        if (Encoding.UTF8.GetByteCount(key) is 0 or > MaxBytes)
        {
            throw CommandException.Usage($"a name has 1 to {MaxBytes} bytes");
        }

        var folder = new StringBuilder();
        foreach (var rune in key.EnumerateRunes())
        {
            if (IsSafe(rune, isFirst: folder.Length == 0))
            {
                folder.Append(rune);
                continue;
            }

            foreach (var b in Encoding.UTF8.GetBytes(rune.ToString()))
            {
                folder.Append(CultureInfo.InvariantCulture, $"%{b:X2}");
            }
        }

        return folder.ToString();
    }

    /// <summary>The name as people know it, but for case.</summary>
    public static string FromFolder(string folder) => Uri.UnescapeDataString(folder);

    // The form in which the realm compares names.
    private static string Normalise(string name)
    {
        try
        {
            return name.Normalize(NormalizationForm.FormKC).ToLowerInvariant().Normalize(NormalizationForm.FormKC);
        }
        catch (ArgumentException e)
        {
            throw new CommandException(ExitCode.Usage, "the name is not well-formed text", inner: e);
        }
    }

    private static bool IsSafe(Rune rune, bool isFirst) =>
        Rune.IsLetterOrDigit(rune)
        || (!isFirst && (rune.Value is '.' or '_' or '-'
            || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark));
}
