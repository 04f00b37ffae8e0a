using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Hosting.Wire.Limits;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Tests.Wire.Limits;

public sealed class LimitOptionsTests
{
    public static TheoryData<string> Fields =>
        [.. typeof(LimitOptions).GetProperties().Select(static property => property.Name)];

    [Fact]
    public void The_defaults_are_right()
    {
        var options = new LimitOptions();

        Assert.True(new LimitOptionsValidator().Validate(null, options).Succeeded);

        // One office behind one address may have hundreds of clients that come at once.
        Assert.True(options.ShareOf(options.Handshakes) >= 500);
        Assert.True(options.ShareOf(options.NotSignedIn) >= options.ConnectionsPerAddress);
        Assert.True(options.ConnectionsBurstPerAddress >= options.ConnectionsPerAddress);
    }

    [Theory]
    [MemberData(nameof(Fields))]
    public void A_limit_that_lets_nothing_through_stops_the_server_with_the_field_s_name(string field)
    {
        foreach (var value in new[] { "0", "-1", "1000001" })
        {
            var e = Assert.Throws<OptionsValidationException>(
                () => WireServer.Build(static _ => { }, isReady: true, ($"Limits:{field}", value)));

            Assert.Contains(e.Failures, failure => failure.Contains(field, StringComparison.Ordinal));
        }
    }

    [Theory]
    [MemberData(nameof(Fields))]
    public void Every_limit_can_be_given_on_the_command_line(string field) => ServerArguments.Check([$"--Limits:{field}=7"]);

    [Theory]
    [InlineData(100, 25, 25)]
    [InlineData(100, 100, 100)]
    [InlineData(3, 25, 1)]
    [InlineData(1, 1, 1)]
    [InlineData(1_000_000, 99, 990_000)]
    public void The_share_of_an_address_is_never_nothing(int slots, int percent, int share) =>
        Assert.Equal(share, new LimitOptions { AddressSharePercent = percent }.ShareOf(slots));
}
