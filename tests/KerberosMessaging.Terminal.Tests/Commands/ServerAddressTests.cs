using KerberosMessaging.Terminal.Commands;

namespace KerberosMessaging.Terminal.Tests.Commands;

public sealed class ServerAddressTests
{
    [Theory]
    [InlineData("chat.example.org:1300", "chat.example.org", 1300, "chat.example.org:1300")]
    [InlineData("chat.example.org", "chat.example.org", 1256, "chat.example.org:1256")]
    [InlineData("localhost:65535", "localhost", 65535, "localhost:65535")]
    [InlineData("192.0.2.1:1256", "192.0.2.1", 1256, "192.0.2.1:1256")]
    [InlineData("[2001:db8::1]:1300", "2001:db8::1", 1300, "[2001:db8::1]:1300")]
    [InlineData("[2001:db8::1]", "2001:db8::1", 1256, "[2001:db8::1]:1256")]
    [InlineData("2001:db8::1", "2001:db8::1", 1256, "[2001:db8::1]:1256")]
    public void An_address_is_read(string text, string host, int port, string shown)
    {
        Assert.True(ServerAddress.TryParse(text, out var address));

        Assert.Equal(new ServerAddress(host, port), address);
        Assert.Equal(shown, address.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData(":1256")]
    [InlineData("host:")]
    [InlineData("host:0")]
    [InlineData("host:65536")]
    [InlineData("host:-1")]
    [InlineData("host: 1256")]
    [InlineData("ho st:1256")]
    [InlineData("http://host:1256")]
    [InlineData("[host]:1256")]
    [InlineData("[2001:db8::1")]
    [InlineData("host\n:1256")]
    public void What_is_none_is_refused(string text) => Assert.False(ServerAddress.TryParse(text, out _));
}
