using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace KerberosMessaging.Terminal.Commands;

/// <summary>An address as people write it: HOST, HOST:PORT, [IPv6] or [IPv6]:PORT.</summary>
internal readonly record struct ServerAddress(string Host, int Port)
{
    public const int DefaultPort = 1256;

    public static bool TryParse(string text, out ServerAddress address)
    {
        address = default;
        var (host, port) = Split(text);
        if (host is null || port is 0)
        {
            return false;
        }

        address = new ServerAddress(host, port);
        return true;
    }

    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    private static (string? Host, int Port) Split(string text)
    {
        // An IPv6 address without brackets is one with the default port: its last group is not a port.
        if (IPAddress.TryParse(text, out var whole) && whole.AddressFamily == AddressFamily.InterNetworkV6 && text[0] != '[')
        {
            return (text, DefaultPort);
        }

        var colon = text.LastIndexOf(':');
        if (colon < 0 || text.EndsWith(']'))
        {
            return (HostOf(text), DefaultPort);
        }

        var isPort = int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            && port <= ushort.MaxValue;
        return (HostOf(text[..colon]), isPort ? port : 0);
    }

    private static string? HostOf(string text)
    {
        if (text.StartsWith('[') && text.EndsWith(']'))
        {
            var inner = text[1..^1];
            return IPAddress.TryParse(inner, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6 ? inner : null;
        }

        return Uri.CheckHostName(text) is UriHostNameType.Dns or UriHostNameType.IPv4 ? text : null;
    }
}
