namespace KerberosMessaging.Protocol.Tests;

/// <summary>What a new message code needs beside its record.</summary>
public sealed class CoverageTests
{
    public static TheoryData<MessageCode> Codes => [.. Enum.GetValues<MessageCode>()];

    [Theory]
    [MemberData(nameof(Codes))]
    public void Every_code_has_a_golden_file(MessageCode code)
    {
        Assert.True(Golden.Exists(code), $"Write the bytes of one {code} down in Golden/{(ushort)code}.hex.");
    }

    [Theory]
    [MemberData(nameof(Codes))]
    public void Every_code_has_a_sample_for_the_round_trip(MessageCode code)
    {
        Assert.True(MessageSample.All.ContainsKey(code), $"Add a {code} to {nameof(MessageSample)}.");
    }

    [Fact]
    public void Every_message_type_is_sampled()
    {
        var types = typeof(IWireMessage).Assembly.GetTypes()
            .Where(type => type is { IsInterface: false } && type.IsAssignableTo(typeof(IWireMessage)));

        Assert.Equal(
            types.Select(type => type.Name).Order(),
            MessageSample.All.Values.Select(sample => sample.Message.GetType().Name).Order());
    }
}
