using System.Security.Cryptography;
using System.Text;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.Client;

/// <summary>Turns typed characters into the bytes that OPAQUE takes, leaving no other copy behind.</summary>
public static class Password
{
    /// <summary>Most characters of a password.</summary>
    public const int MaxLength = 1024;

    /// <summary>
    /// The password in Unicode form NFC as UTF-8 (RFC 8265, section 4.2), so that it does not matter how a keyboard composes
    /// its characters.
    /// </summary>
    /// <param name="characters">As typed.</param>
    /// <exception cref="ArgumentException">Empty, too long, or not well-formed text.</exception>
    public static SecretBytes FromCharacters(ReadOnlySpan<char> characters)
    {
        if (characters.Length is 0 or > MaxLength)
        {
            throw new ArgumentException($"A password has 1 to {MaxLength} characters.", nameof(characters));
        }

        // NFC can lengthen a text threefold at most (Unicode Standard Annex 15).
        var composed = new char[characters.Length * 3];
        var utf8 = new byte[composed.Length * 3];
        try
        {
            if (!characters.TryNormalize(composed, out var length, NormalizationForm.FormC))
            {
                throw new ArgumentException("The password is not well-formed text.", nameof(characters));
            }

            return new SecretBytes(utf8.AsSpan(0, Encoding.UTF8.GetBytes(composed.AsSpan(0, length), utf8)));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(utf8);
            composed.AsSpan().Clear();
        }
    }
}
