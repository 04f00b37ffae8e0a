using System.Text;

namespace KerberosMessaging.AuthServer.Domain.Names;

/// <summary>
/// Full case folding (Unicode Standard, section 3.13) of the characters of client names. Lower case alone would keep apart what is one
/// name in capitals: ß and ss, final and other sigma, iota written below and beside.
/// </summary>
internal static class CaseFolding
{
    /// <summary>The folded form, in NFKC, of a name in NFKC.</summary>
    public static string Fold(string name) => Ascii.IsValid(name)
        ? name.ToLowerInvariant()
        : Decompose(name)
            .Replace("ß", "ss", StringComparison.Ordinal)
            .Replace("ẞ", "ss", StringComparison.Ordinal)
            .Replace('ς', 'σ')
            .Replace('\u0345', 'ι')
            .ToLowerInvariant()
            .Normalize(NormalizationForm.FormKC);

    /// <summary>
    /// Form NFD, but with the dotted capital İ as I. Unicode folds it to i with a second dot above, which nobody sees or types; without,
    /// it is the i that it stands for in Turkish, and I is that i everywhere else.
    /// </summary>
    public static string Decompose(string name) => name.Replace('İ', 'I').Normalize(NormalizationForm.FormD);
}
