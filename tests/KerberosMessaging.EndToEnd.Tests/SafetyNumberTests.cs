using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace KerberosMessaging.EndToEnd.Tests;

public sealed class SafetyNumberTests
{
    private static readonly byte[] Alice = [.. Enumerable.Range(1, 16).Select(i => (byte)i)];
    private static readonly byte[] Bob = [.. Enumerable.Range(101, 16).Select(i => (byte)i)];

    private static readonly VectorFile Vector = VectorFile.Read("safety-number.txt", Record);

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
    public void The_recorded_number_is_what_the_description_says_and_never_changes()
    {
        var halves = new List<string>();
        foreach (var name in new[] { "alice", "bob" })
        {
            var half = Half(Vector[$"{name}_client_id"], Vector[$"{name}_account_key"]);
            Vector.Matches($"{name}_half", Encoding.ASCII.GetBytes(half));
            Vector.Matches($"{name}_hash", LastHash(Vector[$"{name}_client_id"], Vector[$"{name}_account_key"]));
            halves.Add(half);
        }

        halves.Sort(StringComparer.Ordinal);
        Vector.Matches("number", Encoding.ASCII.GetBytes(string.Concat(halves)));
        Assert.Equal(
            Encoding.ASCII.GetString(Vector["number"]),
            SafetyNumber.Compute(
                Vector["alice_client_id"], Vector["alice_account_key"], Vector["bob_client_id"], Vector["bob_account_key"]));
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

    private static byte[] LastHash(byte[] clientId, byte[] key)
    {
        byte[] hash = [0, 2, .. clientId, .. key];
        for (var i = 0; i < 5200; i++)
        {
            hash = SHA512.HashData([.. hash, .. key]);
        }

        return hash;
    }

    private static string Half(byte[] clientId, byte[] key) =>
        string.Concat(LastHash(clientId, key).Take(30).Chunk(5).Select(chunk =>
            (new BigInteger(chunk, isUnsigned: true, isBigEndian: true) % 100000).ToString("D5", CultureInfo.InvariantCulture)));

    private static void Record(VectorFile file)
    {
        file.Comment("A safety number: for both sides the last hash and the half in ASCII, then the whole.");
        foreach (var (name, client, key) in new[] { ("alice", Alice, Key(9)), ("bob", Bob, Key(5)) })
        {
            file.Add($"{name}_client_id", client);
            file.Add($"{name}_account_key", key);
            file.Add($"{name}_hash", LastHash(client, key));
            file.Add($"{name}_half", Encoding.ASCII.GetBytes(Half(client, key)));
        }

        var number = SafetyNumber.Compute(Alice, Key(9), Bob, Key(5));
        file.Comment(SafetyNumber.Format(number));
        file.Add("number", Encoding.ASCII.GetBytes(number));
    }
}
