using CsCheck;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets.Tests;

public sealed class PreviousKeysTests
{
    private static readonly SecretBytes ExportKey = SecretBytes.Random(64);

    [Fact]
    public void What_was_sealed_is_what_opens() =>
        Gen.Select(Gen.Byte.Array[64], Gen.Byte.Array[64].Array[0, PreviousKeys.MostKeys]).Sample((key, keys) =>
        {
            using var exportKey = new SecretBytes(key);
            var blob = PreviousKeys.Seal(exportKey, Secrets(keys));
            using var opened = PreviousKeys.TryOpen(blob, exportKey);

            return opened is not null && AreSame(keys, opened) && blob.Length <= ProtocolLimits.PreviousKeysBytes;
        });

    [Fact]
    public void No_more_than_the_newest_8_are_kept()
    {
        byte[][] keys = [.. Enumerable.Range(1, 9).Select(static number => Enumerable.Repeat((byte)number, 64).ToArray())];

        using var opened = PreviousKeys.TryOpen(PreviousKeys.Seal(ExportKey, Secrets(keys)), ExportKey);

        Assert.NotNull(opened);
        Assert.True(AreSame(keys[..8], opened));
    }

    [Fact]
    public void A_list_that_was_never_stored_holds_no_keys()
    {
        using var opened = PreviousKeys.TryOpen([], ExportKey);

        Assert.NotNull(opened);
        Assert.Empty(opened.Keys);
    }

    [Fact]
    public void No_bit_of_a_sealed_list_can_change()
    {
        var blob = Sample();

        Assert.All(Flips.Of(blob), changed => Assert.Null(PreviousKeys.TryOpen(changed, ExportKey)));
        Assert.All(Flips.Lengths(blob).Skip(1), changed => Assert.Null(PreviousKeys.TryOpen(changed, ExportKey)));
    }

    [Fact]
    public void A_sealed_list_opens_with_its_own_export_key_alone()
    {
        using var other = SecretBytes.Random(64);

        Assert.Null(PreviousKeys.TryOpen(Sample(), other));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 65)]
    [InlineData(1, 1)]
    [InlineData(1, 64)]
    [InlineData(1, 66)]
    [InlineData(9, 1 + (9 * 64))]
    [InlineData(255, 1 + (8 * 64))]
    public void A_list_that_its_own_maker_sealed_wrongly_is_refused(byte count, int length)
    {
        var fields = new byte[length];
        if (length > 0)
        {
            fields[0] = count;
        }

        Assert.Null(PreviousKeys.TryOpen(TicketKeys.Seal(ExportKey.Span, TicketKeys.PreviousKeys, fields, []), ExportKey));
    }

    [Fact]
    public void Disposed_keys_are_gone()
    {
        var opened = PreviousKeys.TryOpen(Sample(), ExportKey)!;
        var key = opened.Keys[0];
        opened.Dispose();

        Assert.Throws<ObjectDisposedException>(() => key.Span.Length);
    }

    private static byte[] Sample() => PreviousKeys.Seal(ExportKey, Secrets([new byte[64], new byte[64]]));

    private static SecretBytes[] Secrets(byte[][] keys) => [.. keys.Select(static key => new SecretBytes(key))];

    private static bool AreSame(byte[][] keys, PreviousKeys opened) =>
        keys.Length == opened.Keys.Count && keys.Zip(opened.Keys).All(static pair => pair.Second.Span.SequenceEqual(pair.First));
}
