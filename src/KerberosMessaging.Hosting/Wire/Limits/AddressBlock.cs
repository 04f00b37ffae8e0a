using System.Buffers.Binary;
using System.Net;

namespace KerberosMessaging.Hosting.Wire.Limits;

/// <summary>
/// What limits take for one address: an IPv4 address, or the /64 of an IPv6 address, which is what one subscriber has and
/// can choose addresses from at will. Peers without an IP address are one block together.
/// </summary>
public readonly record struct AddressBlock
{
    private readonly ulong _prefix;
    private readonly byte _bytes;

    private AddressBlock(ulong prefix, byte bytes) => (_prefix, _bytes) = (prefix, bytes);

    /// <summary>The block of a peer.</summary>
    /// <param name="endPoint">Where it connects from.</param>
    public static AddressBlock Of(EndPoint? endPoint) => endPoint is IPEndPoint { Address: var address } ? OfAddress(address) : default;

    /// <summary>The block of an address; an IPv4 address in IPv6 form is the IPv4 address.</summary>
    /// <param name="address">The address.</param>
    public static AddressBlock OfAddress(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var written);
        return written == 4 || address.IsIPv4MappedToIPv6
            ? new AddressBlock(BinaryPrimitives.ReadUInt32BigEndian(bytes[(written - 4)..]), 4)
            : new AddressBlock(BinaryPrimitives.ReadUInt64BigEndian(bytes), 16);
    }

    /// <summary>The IPv4 address, or the IPv6 prefix with <c>/64</c>.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        if (_bytes == 4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)_prefix);
            return new IPAddress(bytes[..4]).ToString();
        }

        BinaryPrimitives.WriteUInt64BigEndian(bytes, _prefix);
        return $"{new IPAddress(bytes)}/64";
    }
}
