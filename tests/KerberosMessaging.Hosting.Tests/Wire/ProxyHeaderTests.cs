using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Text;
using CsCheck;
using KerberosMessaging.Hosting.Wire;

namespace KerberosMessaging.Hosting.Tests.Wire;

public sealed class ProxyHeaderTests
{
    [Theory]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 40001 1256\r\n", "192.0.2.7:40001")]
    [InlineData("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255:65535")]
    [InlineData("PROXY TCP6 2001:db8::7 2001:db8::1 40001 1256\r\n", "[2001:db8::7]:40001")]
    [InlineData("PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n", "[::ffff:192.0.2.7]:1")]
    [InlineData("PROXY UNKNOWN\r\n", null)]
    [InlineData("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", null)]
    public void A_line_of_text_names_the_client(string line, string? source) =>
        AssertRead(Encoding.ASCII.GetBytes(line), source);

    [Fact]
    public void A_binary_header_names_the_client()
    {
        AssertRead(Binary(0x21, 0x11, [192, 0, 2, 7, 198, 51, 100, 1, 0x9C, 0x41, 0x04, 0xE8]), "192.0.2.7:40001");
        AssertRead(
            Binary(0x21, 0x21, [.. IPAddress.Parse("2001:db8::7").GetAddressBytes(), .. new byte[16], 0x9C, 0x41, 0x04, 0xE8]),
            "[2001:db8::7]:40001");
    }

    [Fact]
    public void Extensions_are_passed_over() =>
        AssertRead(Binary(0x21, 0x11, [192, 0, 2, 7, 198, 51, 100, 1, 0x9C, 0x41, 0x04, 0xE8, 0x04, 0, 3, 1, 2, 3]), "192.0.2.7:40001");

    [Fact]
    public void A_connection_of_the_proxy_s_own_and_one_of_nobody_known_keep_their_address()
    {
        AssertRead(Binary(0x20, 0x00, []), null);
        AssertRead(Binary(0x20, 0x11, [192, 0, 2, 7, 198, 51, 100, 1, 0x9C, 0x41, 0x04, 0xE8]), null);
        AssertRead(Binary(0x21, 0x00, [1, 2, 3]), null);
        AssertRead(Binary(0x21, 0x31, new byte[216]), null);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n")]
    [InlineData("\r\n\r\n\r\n")]
    [InlineData("PROXY\r\n")]
    [InlineData("PROXY \r\n")]
    [InlineData("PROXY TCP4\r\n")]
    [InlineData("PROXY tcp4 192.0.2.7 198.51.100.1 1 2\r\n")]
    [InlineData("PROXY UDP4 192.0.2.7 198.51.100.1 1 2\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 1\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 1 2 3\r\n")]
    [InlineData("PROXY TCP4  192.0.2.7 198.51.100.1 1 2\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 1 65536\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 -1 2\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100 1 2\r\n")]
    [InlineData("PROXY TCP4 192.0.2.07 198.51.100.1 1 2\r\n")]
    [InlineData("PROXY TCP4 3221225991 198.51.100.1 1 2\r\n")]
    [InlineData("PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n")]
    [InlineData("PROXY TCP6 192.0.2.7 198.51.100.1 1 2\r\n")]
    [InlineData("PROXY TCP6 [2001:db8::7] 2001:db8::1 1 2\r\n")]
    [InlineData("PROXY TCP6 fe80::1%1 2001:db8::1 1 2\r\n")]
    public void Anything_else_is_malformed(string text) => AssertMalformed(Encoding.ASCII.GetBytes(text));

    [Fact]
    public void A_line_may_have_107_bytes()
    {
        var longest = "PROXY UNKNOWN " + new string('x', 107 - 16) + "\r\n";

        AssertRead(Encoding.ASCII.GetBytes(longest), null);
        AssertMalformed(Encoding.ASCII.GetBytes(longest.Insert(20, "x")));
        AssertMalformed(Encoding.ASCII.GetBytes("PROXY UNKNOWN " + new string('x', 200)));
    }

    [Fact]
    public void A_binary_header_is_judged_by_its_first_sixteen_bytes()
    {
        AssertMalformed(Binary(0x11, 0x11, new byte[12])[..16]);
        AssertMalformed(Binary(0x22, 0x11, new byte[12])[..16]);
        AssertMalformed(Binary(0x21, 0x12, new byte[12])[..16]);
        AssertMalformed(Binary(0x21, 0x41, new byte[12])[..16]);
        AssertMalformed(Binary(0x21, 0x11, new byte[11])[..16]);
        AssertMalformed(Binary(0x21, 0x21, new byte[35])[..16]);
        AssertMalformed(Binary(0x21, 0x11, new byte[2049])[..16]);
        AssertMalformed(Binary(0x20, 0x00, new byte[65535])[..16]);
    }

    [Fact]
    public void Whatever_comes_is_complete_incomplete_or_malformed() =>
        Gen.Select(Gen.Int[0, 3], Gen.Byte.Array[0, 300]).Sample((kind, bytes) =>
        {
            var start = kind switch
            {
                0 => [],
                1 => "PROXY TCP4 "u8.ToArray(),
                2 => Binary(0x21, 0x11, [])[..12],
                _ => "PROXY TCP6 ::1 ::1 "u8.ToArray(),
            };
            byte[] all = [.. start, .. bytes];
            var state = ProxyHeader.Read(new ReadOnlySequence<byte>(all), out var length, out _);

            Assert.True(state != ProxyHeaderState.Complete || length <= all.Length);
        });

    // In pieces of every size, and with bytes behind it that are not the header's.
    private static void AssertRead(byte[] header, string? source)
    {
        for (var length = 0; length < header.Length; length++)
        {
            Assert.Equal(ProxyHeaderState.Incomplete, ProxyHeader.Read(new ReadOnlySequence<byte>(header, 0, length), out _, out _));
        }

        byte[] more = [.. header, .. "PROXY TCP4 1.2.3.4 1.2.3.4 1 1\r\n"u8, .. new byte[3000]];
        foreach (var bytes in new[] { header, more })
        {
            Assert.Equal(ProxyHeaderState.Complete, ProxyHeader.Read(new ReadOnlySequence<byte>(bytes), out var taken, out var found));
            Assert.Equal((header.Length, source), (taken, found?.ToString()));
        }
    }

    private static void AssertMalformed(byte[] bytes)
    {
        Assert.Equal(ProxyHeaderState.Malformed, ProxyHeader.Read(new ReadOnlySequence<byte>(bytes), out _, out var source));
        Assert.Null(source);
    }

    private static byte[] Binary(byte command, byte family, byte[] rest)
    {
        byte[] header = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A, command, family, 0, 0, .. rest];
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(14), (ushort)rest.Length);
        return header;
    }
}
