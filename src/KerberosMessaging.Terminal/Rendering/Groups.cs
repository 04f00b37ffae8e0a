namespace KerberosMessaging.Terminal.Rendering;

/// <summary>Long rows of digits in groups, which people can read to one another.</summary>
internal static class Groups
{
    public static string Of(string digits, int size) => string.Join(' ', digits.Chunk(size).Select(static group => new string(group)));

    public static string Of(string digits, int size, int perLine, string indentation) => string.Join(
        Environment.NewLine,
        digits.Chunk(size * perLine).Select(line => indentation + Of(new string(line), size)));
}
