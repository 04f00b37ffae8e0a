using System.Text;

namespace KerberosMessaging.Protocol.Tests;

/// <summary>Hex for people: white space anywhere, and comments from # to the end of a line.</summary>
internal static class Hex
{
    public static byte[] Parse(string text)
    {
        var digits = new StringBuilder(text.Length);
        foreach (var line in text.Split('\n'))
        {
            foreach (var digit in line.AsSpan()[..(line.IndexOf('#') is >= 0 and var comment ? comment : line.Length)])
            {
                if (!char.IsWhiteSpace(digit))
                {
                    digits.Append(digit);
                }
            }
        }

        return Convert.FromHexString(digits.ToString());
    }
}
