using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KerberosMessaging.Hosting.Wire;

/// <summary>What the beginning of a connection is, taken for a PROXY protocol header.</summary>
internal enum ProxyHeaderState
{
    /// <summary>It may become one.</summary>
    Incomplete,

    /// <summary>It is one.</summary>
    Complete,

    /// <summary>It cannot become one.</summary>
    Malformed,
}

/// <summary>
/// The header with which a proxy tells who its client is (HAProxy, "The PROXY protocol, versions 1 &amp; 2", 2020/03/05, sections 2.1 and
/// 2.2). Version 1 is a line of text of at most 107 bytes:
/// <code>
/// PROXY TCP4 192.0.2.7 198.51.100.1 40001 1256 CR LF      (or TCP6; or UNKNOWN and anything)
/// </code>
/// Version 2 is binary, its numbers big-endian:
/// <code>
/// signature (12) | version 2, command (1) | family, transport (1) | length of the rest (2)
/// source address (4 or 16) | destination address (4 or 16) | source port (2) | destination port (2) | extensions
/// </code>
/// </summary>
internal static class ProxyHeader
{
    private const int LongestText = 107;
    private const int BinaryPrefix = 16;

    // Addresses of UNIX sockets, the largest there are, take 216; the rest is room for extensions, which nobody here reads.
    private const int LongestBinary = BinaryPrefix + 2048;

    private static ReadOnlySpan<byte> TextStart => "PROXY "u8;

    private static ReadOnlySpan<byte> LineEnd => "\r\n"u8;

    private static ReadOnlySpan<byte> Signature => [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A];

    /// <summary>Reads a header at the beginning of what has come.</summary>
    /// <param name="received">All bytes so far.</param>
    /// <param name="length">The header's length, when it is complete.</param>
    /// <param name="source">The client; null where the header says that the connection is the proxy's own, or does not know whose it is.</param>
    public static ProxyHeaderState Read(in ReadOnlySequence<byte> received, out int length, out IPEndPoint? source)
    {
        (length, source) = (0, null);
        var start = received.Slice(0, Math.Min(received.Length, LongestBinary));
        Span<byte> copy = stackalloc byte[(int)start.Length];
        start.CopyTo(copy);
        ReadOnlySpan<byte> bytes = copy;
        return StartsLike(bytes, Signature) ? ReadBinary(bytes, out length, out source)
            : StartsLike(bytes, TextStart) ? ReadText(bytes, out length, out source)
            : ProxyHeaderState.Malformed;
    }

    private static bool StartsLike(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> expected)
    {
        var common = Math.Min(bytes.Length, expected.Length);
        return bytes[..common].SequenceEqual(expected[..common]);
    }

    private static ProxyHeaderState ReadText(ReadOnlySpan<byte> bytes, out int length, out IPEndPoint? source)
    {
        (length, source) = (0, null);
        var end = bytes[..Math.Min(bytes.Length, LongestText)].IndexOf(LineEnd);
        if (end < 0)
        {
            return bytes.Length < LongestText ? ProxyHeaderState.Incomplete : ProxyHeaderState.Malformed;
        }

        length = end + LineEnd.Length;
        var fields = Encoding.ASCII.GetString(bytes[..end]).Split(' ');
        return fields switch
        {
            [_, "UNKNOWN", ..] => ProxyHeaderState.Complete,
            [_, "TCP4", var from, var to, var fromPort, var toPort] =>
                ReadEnds(AddressFamily.InterNetwork, from, to, fromPort, toPort, out source),
            [_, "TCP6", var from, var to, var fromPort, var toPort] =>
                ReadEnds(AddressFamily.InterNetworkV6, from, to, fromPort, toPort, out source),
            _ => ProxyHeaderState.Malformed,
        };
    }

    private static ProxyHeaderState ReadEnds(
        AddressFamily family, string from, string to, string fromPort, string toPort, out IPEndPoint? source)
    {
        source = null;
        if (ParseAddress(family, from) is not { } address
            || ParseAddress(family, to) is null
            || ParsePort(fromPort) is not { } port
            || ParsePort(toPort) is null)
        {
            return ProxyHeaderState.Malformed;
        }

        source = new IPEndPoint(address, port);
        return ProxyHeaderState.Complete;
    }

    // The framework also takes "1", "0x7f.1", "[::1]" and "fe80::1%eth0" for addresses; the specification does not.
    private static IPAddress? ParseAddress(AddressFamily family, string text) =>
        IPAddress.TryParse(text, out var address)
        && address.AddressFamily == family
        && (family == AddressFamily.InterNetwork ? address.ToString() == text : text.All(static c => char.IsAsciiHexDigit(c) || c is ':' or '.'))
            ? address
            : null;

    private static ushort? ParsePort(string text) =>
        ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : null;

    private static ProxyHeaderState ReadBinary(ReadOnlySpan<byte> bytes, out int length, out IPEndPoint? source)
    {
        (length, source) = (0, null);
        if (bytes.Length < BinaryPrefix)
        {
            return ProxyHeaderState.Incomplete;
        }

        // Judged before the rest is waited for.
        length = BinaryPrefix + BinaryPrimitives.ReadUInt16BigEndian(bytes[14..]);
        var (isLocal, addresses) = (bytes[12], bytes[13]) switch
        {
            (0x20, _) => (true, 0),                 // LOCAL: the proxy's own, such as its health checks
            (0x21, 0x00) => (true, 0),              // UNSPEC
            (0x21, 0x11) => (false, (2 * 4) + 4),   // TCP over IPv4
            (0x21, 0x21) => (false, (2 * 16) + 4),  // TCP over IPv6
            (0x21, 0x31) => (true, 2 * 108),        // a stream over a UNIX socket
            _ => (false, -1),
        };
        if (addresses < 0 || length > LongestBinary || length < BinaryPrefix + addresses)
        {
            return ProxyHeaderState.Malformed;
        }

        if (bytes.Length < length)
        {
            return ProxyHeaderState.Incomplete;
        }

        if (!isLocal)
        {
            var size = (addresses - 4) / 2;
            source = new IPEndPoint(
                new IPAddress(bytes.Slice(BinaryPrefix, size)),
                BinaryPrimitives.ReadUInt16BigEndian(bytes[(BinaryPrefix + (2 * size))..]));
        }

        return ProxyHeaderState.Complete;
    }
}
