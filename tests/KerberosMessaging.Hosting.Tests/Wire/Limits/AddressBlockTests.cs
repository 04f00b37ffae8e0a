using System.Net;
using KerberosMessaging.Hosting.Wire.Limits;

namespace KerberosMessaging.Hosting.Tests.Wire.Limits;

public sealed class AddressBlockTests
{
    [Theory]
    [InlineData("192.0.2.7", "192.0.2.7", true)]
    [InlineData("192.0.2.7", "192.0.2.8", false)]
    [InlineData("192.0.2.7", "::ffff:192.0.2.7", true)]
    [InlineData("::ffff:192.0.2.7", "::ffff:192.0.2.8", false)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("2001:db8:1:2::1", "2001:db8:2:2::1", false)]
    [InlineData("fe80::1%1", "fe80::1%2", true)]
    [InlineData("0.0.0.0", "::", false)]
    public void An_IPv4_address_and_the_64_of_an_IPv6_address_are_one(string one, string other, bool areOne) =>
        Assert.Equal(areOne, Of(one) == Of(other));

    [Fact]
    public void The_port_does_not_matter() =>
        Assert.Equal(AddressBlock.Of(new IPEndPoint(IPAddress.Loopback, 1)), AddressBlock.Of(new IPEndPoint(IPAddress.Loopback, 2)));

    [Fact]
    public void Peers_without_an_address_are_one_and_nobody_else()
    {
        Assert.Equal(AddressBlock.Of(null), AddressBlock.Of(new System.Net.Sockets.UnixDomainSocketEndPoint("/tmp/socket")));
        Assert.NotEqual(AddressBlock.Of(null), Of("0.0.0.0"));
        Assert.NotEqual(AddressBlock.Of(null), Of("::"));
    }

    private static AddressBlock Of(string address) => AddressBlock.Of(new IPEndPoint(IPAddress.Parse(address), 1256));
}
