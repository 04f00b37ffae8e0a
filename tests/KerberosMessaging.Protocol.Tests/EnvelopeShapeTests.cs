using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Protocol.Tests;

public sealed class EnvelopeShapeTests
{
    private const int SmallestRatchet = 90;
    private const int SmallestPrekey = 1284;

    [Theory]
    [InlineData(EnvelopeShape.RatchetKind, SmallestRatchet)]
    [InlineData(EnvelopeShape.RatchetKind, SmallestRatchet + 16)]
    [InlineData(EnvelopeShape.RatchetKind, SmallestRatchet + 16_000)]
    [InlineData(EnvelopeShape.PrekeyKind, SmallestPrekey)]
    [InlineData(EnvelopeShape.PrekeyKind, SmallestPrekey + 1)]
    [InlineData(EnvelopeShape.PrekeyKind, SmallestPrekey + 263)]
    public void What_can_be_an_envelope_is_taken(byte kind, int length) => EnvelopeShape.Check(Envelope(1, kind, length));

    [Theory]
    [InlineData(EnvelopeShape.RatchetKind, SmallestRatchet - 1)]
    [InlineData(EnvelopeShape.RatchetKind, SmallestRatchet - 16)]
    [InlineData(EnvelopeShape.RatchetKind, SmallestRatchet + 1)]
    [InlineData(EnvelopeShape.RatchetKind, SmallestRatchet + 15)]
    [InlineData(EnvelopeShape.PrekeyKind, SmallestPrekey - 1)]
    [InlineData(EnvelopeShape.PrekeyKind, SmallestRatchet)]
    public void A_length_that_its_kind_cannot_have_is_refused(byte kind, int length) => AssertRefused(Envelope(1, kind, length));

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(255)]
    public void An_unknown_kind_is_refused(byte kind) => AssertRefused(Envelope(1, kind, SmallestPrekey + 6));

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void Another_version_is_refused(byte version) =>
        AssertRefused(Envelope(version, EnvelopeShape.RatchetKind, SmallestRatchet));

    [Fact]
    public void What_is_shorter_than_any_envelope_is_refused()
    {
        for (var length = 0; length < SmallestRatchet; length++)
        {
            AssertRefused(Envelope(1, EnvelopeShape.RatchetKind, SmallestRatchet)[..length]);
        }
    }

    private static byte[] Envelope(byte version, byte kind, int length)
    {
        var envelope = new byte[length];
        envelope[0] = version;
        envelope[1] = kind;
        return envelope;
    }

    private static void AssertRefused(byte[] envelope) =>
        Assert.Equal(ProtocolError.Malformed, Assert.Throws<ProtocolException>(() => EnvelopeShape.Check(envelope)).Error);
}
