namespace KerberosMessaging.AuthServer.Domain.Names;

/// <summary>
/// The letters, marks and decimal digits of client names: those with Identifier_Status=Allowed (Unicode Technical Standard #39,
/// section 3.1). That is the recommended scripts of Unicode Standard Annex #31, table 5, without what is obsolete, technical,
/// invisible or changed by NFKC.
/// </summary>
internal static class IdentifierCharacters
{
    /// <summary>What may be mixed in one name: one script, or one of UTS 39's Highly Restrictive mixtures (section 5.2).</summary>
    private static readonly string[][] Alternatives =
    [
        ["Arab"], ["Armn"], ["Beng"], ["Bopo"], ["Cyrl"], ["Deva"], ["Ethi"], ["Geor"], ["Grek"], ["Gujr"], ["Guru"], ["Hang"], ["Hani"],
        ["Hebr"], ["Hira"], ["Kana"], ["Khmr"], ["Knda"], ["Laoo"], ["Latn"], ["Mlym"], ["Mymr"], ["Orya"], ["Sinh"], ["Taml"], ["Telu"],
        ["Thaa"], ["Thai"], ["Tibt"],
        ["Latn", "Hani", "Hira", "Kana"], ["Latn", "Hani", "Bopo"], ["Latn", "Hani", "Hang"],
    ];

    private static readonly Range[] Ranges = [.. DataFile.Read("identifiers.txt").Select(static fields => new Range(
        DataFile.CodePoint(fields[0]),
        DataFile.CodePoint(fields[1]),
        Enum.Parse<CharacterKind>(fields[2], ignoreCase: true),
        fields[3] == "all" ? uint.MaxValue : With(fields[3..])))];

    /// <summary>The right-to-left scripts.</summary>
    public static uint RightToLeft { get; } = With(["Arab", "Hebr", "Thaa"]);

    /// <summary>
    /// Whether a name may hold the character at all; then what it is, and a bit for each alternative that it fits. The characters
    /// of a name must have a bit in common.
    /// </summary>
    public static bool TryFind(int character, out CharacterKind kind, out uint alternatives)
    {
        var (low, high) = (0, Ranges.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var range = Ranges[middle];
            if (character >= range.First && character <= range.Last)
            {
                (kind, alternatives) = (range.Kind, range.Alternatives);
                return true;
            }

            (low, high) = character < range.First ? (low, middle - 1) : (middle + 1, high);
        }

        (kind, alternatives) = (default, 0);
        return false;
    }

    private static uint With(string[] scripts) => Alternatives
        .Index()
        .Where(alternative => alternative.Item.Intersect(scripts).Any())
        .Aggregate(0u, static (bits, alternative) => bits | (1u << alternative.Index));

    private readonly record struct Range(int First, int Last, CharacterKind Kind, uint Alternatives);
}
