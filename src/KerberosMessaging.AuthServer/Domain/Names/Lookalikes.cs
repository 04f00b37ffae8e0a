using System.Collections.Frozen;
using System.Text;

namespace KerberosMessaging.AuthServer.Domain.Names;

/// <summary>
/// Skeletons after Unicode Technical Standard #39, section 4: names with the same skeleton look alike. A capital, its small letter
/// and whatever either resembles count as one character, since names are compared without regard to case.
/// </summary>
internal static class Lookalikes
{
    private static readonly FrozenDictionary<int, string> CountsAs = DataFile.Read("lookalikes.txt").ToFrozenDictionary(
        static fields => DataFile.CodePoint(fields[0]),
        static fields => string.Concat(fields[1..].Select(static field => new Rune(DataFile.CodePoint(field)))));

    /// <summary>The skeleton of a name, in form NFD.</summary>
    public static string Skeleton(string name)
    {
        var skeleton = new StringBuilder(2 * name.Length);
        foreach (var rune in CaseFolding.Decompose(name).EnumerateRunes())
        {
            if (CountsAs.TryGetValue(rune.Value, out var other))
            {
                skeleton.Append(other);
            }
            else
            {
                skeleton.Append(rune);
            }
        }

        return skeleton.ToString().Normalize(NormalizationForm.FormD);
    }

    /// <summary>Whether a dot above the character would not be seen: the character has one of its own, or looks as if it had.</summary>
    public static bool HidesDot(Rune character) =>
        CountsAs.GetValueOrDefault(character.Value, character.ToString()).AsSpan().ContainsAny('i', 'j', 'ȷ');
}
