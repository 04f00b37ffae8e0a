using System.Globalization;
using System.Text;

namespace KerberosMessaging.Terminal.Rendering;

/// <summary>
/// Makes text from elsewhere harmless on a terminal: control characters, which could move the cursor, recolour or answer for
/// the user, and bidirectional overrides, which could show a text as another one, are replaced by something visible.
/// </summary>
internal static class SafeText
{
    /// <summary>For names and messages that must stay on one line.</summary>
    public static string OfLine(string text) => Replace(text, newLine: null);

    /// <summary>For texts: line breaks stay, but what follows them is indented, so that no line looks like a message of its own.</summary>
    public static string OfBlock(string text, string indentation) =>
        Replace(text.ReplaceLineEndings("\n"), $"{Environment.NewLine}{indentation}");

    private static string Replace(string text, string? newLine)
    {
        var safe = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            _ = rune.Value switch
            {
                '\n' when newLine is not null => safe.Append(newLine),
                '\t' when newLine is not null => safe.Append('\t'),
                < 0x20 => safe.Append((char)(0x2400 + rune.Value)),
                0x7F => safe.Append('\u2421'),
                (>= 0x80 and < 0xA0) or (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069) or 0x2028 or 0x2029 =>
                    safe.Append(CultureInfo.InvariantCulture, $"<U+{rune.Value:X4}>"),
                _ => safe.Append(rune),
            };
        }

        return safe.ToString();
    }
}
