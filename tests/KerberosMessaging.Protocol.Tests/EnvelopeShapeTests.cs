using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Protocol.Tests;

public sealed class EnvelopeShapeTests
{
    private const int SmallestRatchet = 148;
    private const int SmallestPrekey = 1347;

    [Fact]
    public void The_smallest_envelopes_have_the_sizes_that_the_format_gives()
    {
        Assert.Equal(SmallestRatchet, Ratchet().Length);
        Assert.Equal(SmallestPrekey, Prekey().Length);
    }

    [Theory]
    [InlineData(96)]
    [InlineData(1184)]
    [InlineData(1280)]
    public void What_can_be_an_envelope_is_taken(int header)
    {
        foreach (var ciphertext in new[] { 16, 32, 16_000 })
        {
            EnvelopeShape.Check(Ratchet(header, ciphertext));
            foreach (var credentials in new[] { 0, 1, 613, ushort.MaxValue })
            {
                EnvelopeShape.Check(Prekey(credentials, header, ciphertext));
            }
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(80)]
    [InlineData(95)]
    [InlineData(97)]
    [InlineData(112)]
    [InlineData(1183)]
    [InlineData(1200)]
    [InlineData(1296)]
    [InlineData(ushort.MaxValue)]
    public void A_header_of_another_length_is_refused(int header)
    {
        AssertRefused(Ratchet(header));
        AssertRefused(Prekey(5, header));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(17)]
    [InlineData(31)]
    public void A_ciphertext_that_is_no_whole_blocks_or_none_is_refused(int ciphertext)
    {
        foreach (var header in new[] { 96, 1184, 1280 })
        {
            AssertRefused(Ratchet(header, ciphertext));
            AssertRefused(Prekey(5, header, ciphertext));
        }
    }

    [Fact]
    public void A_header_length_that_leaves_no_ciphertext_is_refused()
    {
        var envelope = Ratchet(96, 1024);
        (envelope[2], envelope[3]) = (1184 >> 8, 1184 & 0xFF);

        AssertRefused(envelope);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(6)]
    [InlineData(153)]
    [InlineData(154)]
    [InlineData(ushort.MaxValue)]
    public void A_length_of_the_credentials_that_is_not_theirs_is_refused(int said)
    {
        var envelope = Prekey(credentials: 5);
        (envelope[1199], envelope[1200]) = ((byte)(said >> 8), (byte)said);

        AssertRefused(envelope);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(255)]
    public void An_unknown_kind_is_refused(byte kind)
    {
        AssertRefused([2, kind, .. Ratchet()[2..]]);
        AssertRefused([2, kind, .. Prekey()[2..]]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void Another_version_is_refused(byte version)
    {
        AssertRefused([version, .. Ratchet()[1..]]);
        AssertRefused([version, .. Prekey()[1..]]);
    }

    [Fact]
    public void What_is_shorter_than_its_kind_can_be_is_refused()
    {
        foreach (var envelope in new[] { Ratchet(), Prekey() })
        {
            for (var length = 0; length < envelope.Length; length++)
            {
                AssertRefused(envelope[..length]);
            }
        }
    }

    private static byte[] Ratchet(int header = 96, int ciphertext = 16) => [2, 2, .. RatchetPart(header, ciphertext)];

    private static byte[] Prekey(int credentials = 0, int header = 96, int ciphertext = 16) =>
    [
        2, 1, .. new byte[64 + 4 + 4 + 1 + 4 + 32 + 1088],
        (byte)(credentials >> 8), (byte)credentials, .. new byte[credentials],
        .. RatchetPart(header, ciphertext),
    ];

    private static byte[] RatchetPart(int header, int ciphertext) =>
        [(byte)(header >> 8), (byte)header, .. new byte[header], .. new byte[ciphertext], .. new byte[32]];

    private static void AssertRefused(byte[] envelope) =>
        Assert.Equal(ProtocolError.Malformed, Assert.Throws<ProtocolException>(() => EnvelopeShape.Check(envelope)).Error);
}
