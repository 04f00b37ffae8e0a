using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Protocol.Tests;

/// <summary>Rules beyond the layout: what fits the fields and is still no message.</summary>
public sealed class MessageRuleTests
{
    private static readonly byte[] Envelope = [1, 2, .. new byte[88]];

    [Fact]
    public void A_message_that_names_a_device_twice_is_refused()
    {
        var device = DeviceId.New();

        AssertRefused(Send(60, new DeviceEnvelope(device, Envelope), new DeviceEnvelope(DeviceId.New(), Envelope), new DeviceEnvelope(device, Envelope)));
    }

    [Fact]
    public void A_message_without_envelopes_is_refused() => AssertRefused(Send(60));

    [Fact]
    public void A_message_may_have_an_envelope_for_each_of_32_devices_and_no_more()
    {
        DeviceEnvelope[] most = [.. Enumerable.Range(0, ProtocolLimits.DevicesPerClient).Select(_ => new DeviceEnvelope(DeviceId.New(), Envelope))];

        Assert.Equal(32, ReadBack(Send(60, most)).Envelopes.Count);
        AssertRefused(Send(60, [.. most, new DeviceEnvelope(DeviceId.New(), Envelope)]));
    }

    [Fact]
    public void A_message_may_wait_30_days_and_no_longer()
    {
        var envelope = new DeviceEnvelope(DeviceId.New(), Envelope);

        Assert.Equal(ProtocolLimits.TimeToLiveSeconds, ReadBack(Send(ProtocolLimits.TimeToLiveSeconds, envelope)).TimeToLiveSeconds);
        AssertRefused(Send(ProtocolLimits.TimeToLiveSeconds + 1, envelope));
    }

    [Fact]
    public void A_message_is_durable_or_ephemeral_and_of_no_other_kind()
    {
        var message = Send(60, new DeviceEnvelope(DeviceId.New(), Envelope));

        Assert.Equal(DeliveryKind.Durable, ReadBack(message).Kind);
        Assert.Equal(DeliveryKind.Ephemeral, ReadBack(message with { Kind = DeliveryKind.Ephemeral }).Kind);
        AssertRefused(message with { Kind = (DeliveryKind)2 });
        AssertRefused(message with { Kind = (DeliveryKind)255 });
    }

    [Theory]
    [InlineData(0)]
    [InlineData(uint.MaxValue)]
    public void An_acknowledgement_carries_any_credit(uint credit) =>
        Assert.Equal(credit, ReadBack(new AcknowledgeRequest([], credit)).Credit);

    [Fact]
    public void A_message_with_a_malformed_envelope_is_refused() =>
        AssertRefused(Send(60, new DeviceEnvelope(DeviceId.New(), Envelope[..^1])));

    [Fact]
    public void An_envelope_may_have_the_limit_and_no_more()
    {
        var largest = new byte[2 + 88 + ((ProtocolLimits.EnvelopeBytes - 90) / 16 * 16)];
        Envelope.CopyTo(largest, 0);

        Assert.Equal(largest, ReadBack(Send(60, new DeviceEnvelope(DeviceId.New(), largest))).Envelopes[0].Envelope);
        AssertRefused(Send(60, new DeviceEnvelope(DeviceId.New(), [.. largest, .. new byte[16]])));
    }

    [Theory]
    [InlineData(2, 1)]
    [InlineData(0, 1UL << 63)]
    [InlineData(ulong.MaxValue, ulong.MaxValue)]
    public void A_range_that_ends_before_it_starts_or_is_no_sequence_number_is_refused(ulong first, ulong last) =>
        AssertRefused(new AcknowledgeRequest([new SequenceRange(first, last)], 0));

    [Fact]
    public void A_device_is_not_renamed_to_nothing()
    {
        Assert.Equal("x", ReadBack(new RenameDeviceRequest(DeviceId.New(), "x")).Name);
        AssertRefused(new RenameDeviceRequest(DeviceId.New(), ""));
    }

    [Fact]
    public void A_server_has_1_to_16_keys_of_each_kind_and_no_version_twice()
    {
        VersionedKey[] most = [.. Enumerable.Range(1, ProtocolLimits.KeyVersions).Select(static version => new VersionedKey((uint)version, new byte[32]))];
        VersionedKey next = new(17, new byte[32]);

        Assert.Equal(16, ReadBack(Keys(most, most)).ServiceKeys.Count);
        AssertRefused(Keys([.. most, next], most));
        AssertRefused(Keys(most, [.. most, next]));
        AssertRefused(Keys([], most));
        AssertRefused(Keys(most, []));
        AssertRefused(Keys([next, next], most));
        AssertRefused(Keys(most, [next, most[0], next]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(255)]
    public void A_revocation_of_a_kind_that_is_not_known_is_refused(byte kind) =>
        AssertRefused(new Revocations([new Revocation(1, (RevocationKind)kind, ClientId.New(), DeviceId.New(), SessionId.New(), default(DateTimeOffset).AddYears(2000))]));

    [Theory]
    [InlineData(2)]
    [InlineData(255)]
    public void A_flag_is_0_or_1(byte flag) => AssertRefused<LogoutRequest>([flag]);

    [Theory]
    [InlineData(-1)]
    [InlineData(long.MinValue)]
    [InlineData(253_402_300_800_000)]
    public void A_time_outside_1970_to_9999_is_refused(long milliseconds)
    {
        var payload = BitConverter.GetBytes(milliseconds);
        Array.Reverse(payload);

        AssertRefused<MessageAccepted>(payload);
    }

    [Fact]
    public void The_last_millisecond_of_9999_is_a_time()
    {
        var last = new DateTimeOffset(9999, 12, 31, 23, 59, 59, 999, TimeSpan.Zero);

        Assert.Equal(last, WireReader.ReadWhole<MessageAccepted>(WireWriter.ToArray(new MessageAccepted(last))).AcceptedAt);
    }

    [Fact]
    public void A_time_is_written_in_whole_milliseconds_of_UTC()
    {
        var time = new DateTimeOffset(2026, 1, 2, 4, 4, 5, TimeSpan.FromHours(1)).AddTicks(6_789_999);

        var read = WireReader.ReadWhole<MessageAccepted>(WireWriter.ToArray(new MessageAccepted(time))).AcceptedAt;

        Assert.Equal(new DateTimeOffset(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero), read);
    }

    [Fact]
    public void A_name_may_have_64_bytes_and_no_more()
    {
        var longest = string.Concat(Enumerable.Repeat("ë", 32));

        Assert.Equal(longest, WireReader.ReadWhole<LookUpClientRequest>(WireWriter.ToArray(new LookUpClientRequest(longest))).Name);
        AssertRefused(new LookUpClientRequest(longest + "e"));
    }

    [Fact]
    public void A_ticket_may_have_the_limit_and_no_more()
    {
        var ticket = new byte[ProtocolLimits.TicketBytes];
        var part = new byte[ProtocolLimits.SealedPartBytes];

        Assert.Equal(ticket, WireReader.ReadWhole<TicketGranted>(WireWriter.ToArray(new TicketGranted(ticket, part))).Ticket);
        AssertRefused(new TicketGranted([.. ticket, 0], part));
        AssertRefused(new TicketGranted(ticket, [.. part, 0]));
    }

    [Fact]
    public void A_list_may_have_the_limit_and_no_more()
    {
        SequenceRange[] ranges = [.. Enumerable.Repeat(new SequenceRange(1, 1), ProtocolLimits.RangesPerAcknowledgement)];

        Assert.Equal(ranges, WireReader.ReadWhole<AcknowledgeRequest>(WireWriter.ToArray(new AcknowledgeRequest(ranges, 0))).Ranges);
        AssertRefused(new AcknowledgeRequest([.. ranges, new SequenceRange(1, 1)], 0));
    }

    [Fact]
    public void A_field_of_a_fixed_size_is_never_written_with_another() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => WireWriter.ToArray(new StartLoginRequest("alice", new byte[95])));

    [Fact]
    public void A_printed_message_shows_no_secret()
    {
        Assert.Equal(
            "RegisterServerRequest mail-1 at mail.example:4711",
            new RegisterServerRequest("one-time", "mail-1", "mail.example", 4711, new byte[32], new byte[64]).ToString());
        Assert.Equal("RegisterClientRequest alice", new RegisterClientRequest("alice", "one-time", new byte[32]).ToString());
        Assert.Equal(
            "ServerKeys service 3 4, ticket signing 2", MessageSample.All[MessageCode.ServerKeys].Message.ToString());
        Assert.Equal("key 7", new VersionedKey(7, new byte[32]).ToString());
        // Byte arrays print their type alone; only text shows itself.
        Assert.All(MessageSample.All.Values, sample => Assert.DoesNotContain("one-time", sample.Message.ToString(), StringComparison.Ordinal));
    }

    private static ServerKeys Keys(VersionedKey[] service, VersionedKey[] ticketSigning) => new(new byte[32], service, ticketSigning);

    private static SendMessageRequest Send(uint timeToLive, params DeviceEnvelope[] envelopes) =>
        new(MessageId.New(), ClientId.New(), timeToLive, DeliveryKind.Durable, envelopes);

    private static T ReadBack<T>(T message)
        where T : IWireMessage<T> => WireReader.ReadWhole<T>(WireWriter.ToArray(message));

    private static void AssertRefused<T>(T message)
        where T : IWireMessage<T> => AssertRefused<T>(WireWriter.ToArray(message));

    private static void AssertRefused<T>(byte[] payload)
        where T : IWireMessage<T>
    {
        var e = Assert.Throws<ProtocolException>(() => WireReader.ReadWhole<T>(payload));
        Assert.Equal(ProtocolError.Malformed, e.Error);
    }
}
