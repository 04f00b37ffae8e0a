using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;

namespace KerberosMessaging.EndToEnd.Tests;

public sealed class SafetyNumberTests
{
    private static readonly byte[] Alice = [.. Enumerable.Range(1, 16).Select(i => (byte)i)];
    private static readonly byte[] Bob = [.. Enumerable.Range(101, 16).Select(i => (byte)i)];

    private static byte[] Key(byte seed) => [.. Enumerable.Repeat(seed, 32)];

    [Fact]
    public void Both_sides_see_the_same_sixty_digits()
    {
        var number = SafetyNumber.Compute(Alice, Key(9), Bob, Key(5));
        Assert.Equal(number, SafetyNumber.Compute(Bob, Key(5), Alice, Key(9)));
        Assert.Equal(SafetyNumber.DigitCount, number.Length);
        Assert.Equal(60, number.Length);
        Assert.All(number, digit => Assert.True(char.IsAsciiDigit(digit)));
    }

    [Fact]
    public void Any_changed_key_or_client_changes_the_number()
    {
        var numbers = new List<string>
        {
            SafetyNumber.Compute(Alice, Key(9), Bob, Key(5)),
            SafetyNumber.Compute(Alice, Key(5), Bob, Key(9)),
            SafetyNumber.Compute(Alice, Key(9), Bob, Key(6)),
            SafetyNumber.Compute(Alice, Key(9), Alice, Key(5)),
            SafetyNumber.Compute(Alice, Key(9), Bob, Key(9)),
        };
        for (var i = 0; i < 32; i++)
        {
            var changed = Key(9);
            changed[i] ^= 1;
            numbers.Add(SafetyNumber.Compute(Alice, changed, Bob, Key(5)));
        }

        Assert.Equal(numbers.Count, numbers.Distinct().Count());
    }

    [Fact]
    public void The_number_is_what_the_description_says()
    {
        var halves = new[] { Half(Alice, Key(9)), Half(Bob, Key(5)) };
        Array.Sort(halves, StringComparer.Ordinal);
        Assert.Equal(string.Concat(halves), SafetyNumber.Compute(Alice, Key(9), Bob, Key(5)));
    }

    [Fact]
    public void The_number_is_shown_in_twelve_groups_of_five() =>
        Assert.Equal(
            "01234 56789 01234 56789 01234 56789 01234 56789 01234 56789 01234 56789",
            SafetyNumber.Format("012345678901234567890123456789012345678901234567890123456789"));

    [Fact]
    public void What_is_not_a_number_or_not_a_key_is_refused()
    {
        Assert.Throws<ArgumentException>(() => SafetyNumber.Format("123"));
        Assert.Throws<ArgumentException>(() => SafetyNumber.Format(new string('x', 60)));
        Assert.Throws<ArgumentException>(() => SafetyNumber.Format(new string('\u0664', 60)));
        Assert.Throws<ArgumentException>(() => SafetyNumber.Compute(Alice, [], Bob, Key(5)));
        Assert.Throws<ArgumentException>(() => SafetyNumber.Compute(Alice, Key(9), Bob, new byte[33]));
        Assert.Throws<ArgumentException>(() => SafetyNumber.Compute(Alice, Key(3), Bob.AsSpan(1), Key(5)));
    }

    internal static string Half(byte[] clientId, byte[] key)
    {
        byte[] hash = [0, 2, .. clientId, .. key];
        for (var i = 0; i < 5200; i++)
        {
            hash = SHA512.HashData([.. hash, .. key]);
        }

        return string.Concat(hash.Take(30).Chunk(5).Select(chunk =>
            (new BigInteger(chunk, isUnsigned: true, isBigEndian: true) % 100000).ToString("D5", CultureInfo.InvariantCulture)));
    }
}
