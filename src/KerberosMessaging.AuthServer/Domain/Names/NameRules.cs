using System.Globalization;
using System.Text;

namespace KerberosMessaging.AuthServer.Domain.Names;

/// <summary>
/// Which texts in form NFKC can be client names: the Highly Restrictive profile of Unicode Technical Standard #39 (section 5.2)
/// with its rules on numbers (5.3) and marks (5.4), and the Bidi Rule of RFC 5893 as far as the rest leaves anything to it.
/// </summary>
internal static class NameRules
{
    private const int MarksInARow = 4;
    private const int DotAbove = 0x0307;

    public static bool Allow(string name) => HasAllowedCharacters(name) && HasLegibleMarks(name);

    private static bool HasAllowedCharacters(string name)
    {
        var alternatives = uint.MaxValue;
        int? zero = null;
        CharacterKind? first = null;
        CharacterKind? last = null;
        foreach (var rune in name.EnumerateRunes())
        {
            if (rune.Value is '.' or '_' or '-')
            {
                if (first is null)
                {
                    return false;
                }

                last = null;
                continue;
            }

            if (!IdentifierCharacters.TryFind(rune.Value, out var kind, out var fitting)
                || (kind == CharacterKind.Mark && last is not (CharacterKind.Letter or CharacterKind.Mark))
                || (kind == CharacterKind.Digit && ZeroOf(rune) != (zero ??= ZeroOf(rune))))
            {
                return false;
            }

            alternatives &= fitting;
            first ??= kind;
            last = kind;
        }

        return first is not null
            && alternatives != 0
            && (!IsRightToLeft(alternatives) || (first == CharacterKind.Letter && last is not null));
    }

    // The zero of its numbering system: the ten digits of each follow one another.
    private static int ZeroOf(Rune digit) => digit.Value - (int)Rune.GetNumericValue(digit);

    // Between digits and punctuation such names change their order on the screen: 1א and א1 look the same.
    private static bool IsRightToLeft(uint alternatives) => (alternatives & ~IdentifierCharacters.RightToLeft) == 0;

    private static bool HasLegibleMarks(string name)
    {
        if (Ascii.IsValid(name))
        {
            return true;
        }

        var count = 0;
        var (carrier, before) = (default(Rune), default(Rune));
        foreach (var rune in CaseFolding.Decompose(name).EnumerateRunes())
        {
            if (Rune.GetUnicodeCategory(rune) != UnicodeCategory.NonSpacingMark)
            {
                (carrier, count) = (rune, 0);
            }
            else if (++count > MarksInARow || rune == before || (rune.Value == DotAbove && Lookalikes.HidesDot(carrier)))
            {
                return false;
            }

            before = rune;
        }

        return true;
    }
}
