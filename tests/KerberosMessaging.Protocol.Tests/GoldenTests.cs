namespace KerberosMessaging.Protocol.Tests;

public sealed class GoldenTests
{
    public static TheoryData<MessageCode> Codes => MessageSample.Codes;

    [Theory]
    [MemberData(nameof(Codes))]
    public void A_message_is_written_as_its_golden_bytes(MessageCode code)
    {
        Assert.Equal(Golden.Payload(code), WireWriter.ToArray(MessageSample.All[code].Message));
    }

    [Theory]
    [MemberData(nameof(Codes))]
    public void A_message_survives_the_round_trip(MessageCode code)
    {
        var sample = MessageSample.All[code];

        var read = sample.Read(Golden.Payload(code));

        Assert.Equal(sample.Message.GetType(), read.GetType());
        Assert.Equal(code, read.FrameCode);
        // The golden bytes differ from field to field: two fields that were exchanged while reading would come back exchanged.
        Assert.Equal(Golden.Payload(code), WireWriter.ToArray(read));
    }
}
