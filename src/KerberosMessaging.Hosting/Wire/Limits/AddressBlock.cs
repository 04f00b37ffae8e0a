using System.Buffers.Binary;
using System.Net;

namespace KerberosMessaging.Hosting.Wire.Limits;

/// <summary>
/// What limits take for one address: an IPv4 address, or the /64 of an IPv6 address, which is what one subscriber has and
/// can choose addresses from at will. Peers without an IP address are one block together.
/// </summary>
internal readonly record struct AddressBlock
{
    private readonly ulong _prefix;
    private readonly byte _bytes;

    private AddressBlock(ulong prefix, byte bytes) => (_prefix, _bytes) = (prefix, bytes);

    public static AddressBlock Of(EndPoint? endPoint)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (endPoint is not IPEndPoint { Address: var address } || !address.TryWriteBytes(bytes, out var written))
        {
            return default;
        }

        return written == 4 || address.IsIPv4MappedToIPv6
            ? new AddressBlock(BinaryPrimitives.ReadUInt32BigEndian(bytes[(written - 4)..]), 4)
            : new AddressBlock(BinaryPrimitives.ReadUInt64BigEndian(bytes), 16);
    }
}
