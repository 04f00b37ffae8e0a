using KerberosMessaging.Hosting.Wire;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Tests.Wire;

public sealed class WireOptionsTests
{
    [Fact]
    public void The_defaults_are_right()
    {
        var options = new WireOptions();

        Assert.True(new WireOptionsValidator().Validate(null, options).Succeeded);
        Assert.Equal(("0.0.0.0", 0), (options.Address, options.Port));
        Assert.Equal((64 * 1024, 1024 * 1024), (options.PayloadBeforeAuthentication, options.PayloadAfterAuthentication));
        Assert.Equal((10, 30, 60), (options.HandshakeDeadlineSeconds, options.FrameDeadlineSeconds, options.SignInDeadlineSeconds));
        Assert.Equal((30, 75), (options.PingAfterSeconds, options.DeadAfterSeconds));
        Assert.Equal((5, 1), (options.DrainGraceSeconds, options.DrainRetryAfterSeconds));
    }

    [Theory]
    [InlineData(nameof(WireOptions.Address), "", "required")]
    [InlineData(nameof(WireOptions.Address), "localhost", "IP address")]
    [InlineData(nameof(WireOptions.Address), "127.0.0.1:1256", "IP address")]
    [InlineData(nameof(WireOptions.Port), "-1", "between 0 and 65535")]
    [InlineData(nameof(WireOptions.Port), "65536", "between 0 and 65535")]
    [InlineData(nameof(WireOptions.PayloadBeforeAuthentication), "4095", "between 4096 and 1048576")]
    [InlineData(nameof(WireOptions.PayloadBeforeAuthentication), "1048577", "between 4096 and 1048576")]
    [InlineData(nameof(WireOptions.PayloadAfterAuthentication), "4095", "between 4096 and 16777216")]
    [InlineData(nameof(WireOptions.PayloadAfterAuthentication), "16777217", "between 4096 and 16777216")]
    [InlineData(nameof(WireOptions.HandshakeDeadlineSeconds), "0", "between 1 and 300")]
    [InlineData(nameof(WireOptions.FrameDeadlineSeconds), "301", "between 1 and 300")]
    [InlineData(nameof(WireOptions.SignInDeadlineSeconds), "0", "between 1 and 3600")]
    [InlineData(nameof(WireOptions.PingAfterSeconds), "-1", "between 0 and 3600")]
    [InlineData(nameof(WireOptions.PingAfterSeconds), "75", "more than PingAfterSeconds")]
    [InlineData(nameof(WireOptions.DeadAfterSeconds), "7201", "between 2 and 7200")]
    [InlineData(nameof(WireOptions.DrainGraceSeconds), "301", "between 0 and 300")]
    [InlineData(nameof(WireOptions.DrainRetryAfterSeconds), "0", "between 1 and 3600")]
    public void A_wrong_value_stops_the_server_with_the_field_s_name_and_what_is_allowed(string field, string value, string allowed)
    {
        var e = Assert.Throws<OptionsValidationException>(() => WireServer.Build(static _ => { }, isReady: true, ($"Wire:{field}", value)));

        Assert.Contains(e.Failures, failure =>
            failure.Contains(field, StringComparison.Ordinal) && failure.Contains(allowed, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("192.0.2.7")]
    public void An_address_may_be_of_either_family(string address) =>
        Assert.True(new WireOptionsValidator().Validate(null, new WireOptions { Address = address }).Succeeded);

    [Fact]
    public void All_wrong_values_are_named_at_once()
    {
        var options = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Address"] = "nowhere",
            ["Port"] = "70000",
            ["FrameDeadlineSeconds"] = "0",
        }).Build().Get<WireOptions>()!;

        var result = new WireOptionsValidator().Validate(null, options);

        Assert.True(result.Failed);
        Assert.Equal(3, result.Failures.Count());
        foreach (var field in new[] { "Address", "Port", "FrameDeadlineSeconds" })
        {
            Assert.Contains(result.Failures, failure => failure.Contains(field, StringComparison.Ordinal));
        }
    }
}
