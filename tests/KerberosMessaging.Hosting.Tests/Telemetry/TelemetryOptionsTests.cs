using KerberosMessaging.Hosting.Telemetry;

namespace KerberosMessaging.Hosting.Tests.Telemetry;

public sealed class TelemetryOptionsTests
{
    [Theory]
    [InlineData(null, true)]
    [InlineData("", true)]
    [InlineData("http://127.0.0.1:4317", true)]
    [InlineData("127.0.0.1:4317", false)]
    [InlineData("ftp://collector", false)]
    public void A_collector_is_named_by_an_address(string? endpoint, bool isRight) =>
        Assert.Equal(isRight, new TelemetryOptionsValidator().Validate(null, new TelemetryOptions { OtlpEndpoint = endpoint }).Succeeded);

    [Fact]
    public void Every_wrong_field_is_named()
    {
        var result = new TelemetryOptionsValidator().Validate(
            null, new TelemetryOptions { OtlpEndpoint = "nowhere", OtlpProtocol = "pigeon", TraceRatio = 2 });

        Assert.Equal(3, result.Failures!.Count());
    }
}
