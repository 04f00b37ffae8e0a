using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;

namespace KerberosMessaging.EndToEnd.Tests;

public sealed class SafetyNumberTests
{
    private static readonly byte[] Alice = [.. Enumerable.Range(1, 16).Select(i => (byte)i)];
    private static readonly byte[] Bob = [.. Enumerable.Range(101, 16).Select(i => (byte)i)];

    private static PublicDeviceIdentity Identity(byte seed) =>
        new([.. Enumerable.Repeat(seed, 32)], [.. Enumerable.Repeat((byte)(seed + 1), 32)]);

    [Fact]
    public void Both_sides_see_the_same_sixty_digits()
    {
        PublicDeviceIdentity[] alice = [Identity(9), Identity(3)];
        PublicDeviceIdentity[] bob = [Identity(5)];
        var number = SafetyNumber.Compute(Alice, alice, Bob, bob);
        Assert.Equal(number, SafetyNumber.Compute(Bob, bob, Alice, alice));
        Assert.Equal(60, number.Length);
        Assert.All(number, digit => Assert.True(char.IsAsciiDigit(digit)));
    }

    [Fact]
    public void The_order_of_devices_and_repetitions_do_not_matter() =>
        Assert.Equal(
            SafetyNumber.Compute(Alice, [Identity(9), Identity(3)], Bob, [Identity(5)]),
            SafetyNumber.Compute(Alice, [Identity(3), Identity(9), Identity(3)], Bob, [Identity(5)]));

    [Fact]
    public void Any_changed_added_or_removed_key_changes_the_number()
    {
        var one = Identity(9);
        var numbers = new List<string>
        {
            SafetyNumber.Compute(Alice, [one, Identity(3)], Bob, [Identity(5)]),
            SafetyNumber.Compute(Alice, [one], Bob, [Identity(5)]),
            SafetyNumber.Compute(Alice, [one, Identity(3), Identity(4)], Bob, [Identity(5)]),
            SafetyNumber.Compute(Alice, [one, Identity(3)], Bob, [Identity(6)]),
            SafetyNumber.Compute(Alice, [one, Identity(3)], Alice, [Identity(5)]),
            SafetyNumber.Compute(Bob, [one, Identity(3)], Alice, [Identity(5)]),
        };
        for (var i = 0; i < 64; i++)
        {
            var bytes = one.ToBytes();
            bytes[i] ^= 1;
            Assert.True(PublicDeviceIdentity.TryRead(bytes, out var changed));
            numbers.Add(SafetyNumber.Compute(Alice, [changed, Identity(3)], Bob, [Identity(5)]));
        }

        Assert.Equal(numbers.Count, numbers.Distinct().Count());
    }

    [Fact]
    public void The_number_is_what_the_description_says()
    {
        var halves = new[] { Half(Alice, Identity(3), Identity(9)), Half(Bob, Identity(5)) };
        Array.Sort(halves, StringComparer.Ordinal);
        Assert.Equal(
            string.Concat(halves),
            SafetyNumber.Compute(Alice, [Identity(9), Identity(3)], Bob, [Identity(5)]));
    }

    [Fact]
    public void The_number_never_changes_between_versions() =>
        Assert.Equal(
            "30808 68390 92484 50773 52916 12679 33431 38071 09956 09257 86431 36058",
            SafetyNumber.Format(SafetyNumber.Compute(Alice, [Identity(9), Identity(3)], Bob, [Identity(5)])));

    [Fact]
    public void The_number_is_shown_in_twelve_groups_of_five() =>
        Assert.Equal(
            "01234 56789 01234 56789 01234 56789 01234 56789 01234 56789 01234 56789",
            SafetyNumber.Format("012345678901234567890123456789012345678901234567890123456789"));

    [Fact]
    public void What_is_not_a_number_or_not_an_identity_is_refused()
    {
        Assert.Throws<ArgumentException>(() => SafetyNumber.Format("123"));
        Assert.Throws<ArgumentException>(() => SafetyNumber.Format(new string('x', 60)));
        Assert.Throws<ArgumentException>(() => SafetyNumber.Compute(Alice, [], Bob, [Identity(5)]));
        Assert.Throws<ArgumentException>(() => SafetyNumber.Compute(Alice, [Identity(3)], Bob.AsSpan(1), [Identity(5)]));
    }

    private static string Half(byte[] clientId, params PublicDeviceIdentity[] sorted)
    {
        var keys = sorted.SelectMany(identity => identity.ToBytes()).ToArray();
        byte[] hash = [0, 1, .. clientId, .. keys];
        for (var i = 0; i < 5200; i++)
        {
            hash = SHA512.HashData([.. hash, .. keys]);
        }

        return string.Concat(hash.Take(30).Chunk(5).Select(chunk =>
            (new BigInteger(chunk, isUnsigned: true, isBigEndian: true) % 100000).ToString("D5", CultureInfo.InvariantCulture)));
    }
}
