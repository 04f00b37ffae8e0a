using System.Net;
using System.Net.Sockets;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>Addresses that one party has at its command count as one: a household or a server owns a whole IPv6 /64.</summary>
internal static class AddressGroup
{
    public static string Of(string address)
    {
        if (!IPAddress.TryParse(address, out var parsed))
        {
            return address;
        }

        if (parsed.IsIPv4MappedToIPv6)
        {
            return parsed.MapToIPv4().ToString();
        }

        if (parsed.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return parsed.ToString();
        }

        Span<byte> bytes = stackalloc byte[16];
        parsed.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return $"{new IPAddress(bytes)}/64";
    }
}
