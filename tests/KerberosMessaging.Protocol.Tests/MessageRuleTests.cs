using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Protocol.Tests;

/// <summary>Rules beyond the layout: what fits the fields and is still no message.</summary>
public sealed class MessageRuleTests
{
    private static readonly byte[] Envelope = [2, 2, 0, 96, .. new byte[96 + 16 + 32]];

    [Fact]
    public void A_message_that_names_a_device_twice_is_refused()
    {
        var device = DeviceId.New();

        AssertRefused(Send(60, new DeviceEnvelope(device, Envelope), new DeviceEnvelope(DeviceId.New(), Envelope), new DeviceEnvelope(device, Envelope)));
    }

    [Fact]
    public void A_message_that_leaves_a_device_out_twice_is_refused()
    {
        var device = DeviceId.New();

        AssertRefused(Send(60, new DeviceEnvelope(DeviceId.New(), Envelope)) with { LeftOut = [device, DeviceId.New(), device] });
    }

    [Fact]
    public void A_message_with_an_envelope_for_a_device_that_it_leaves_out_is_refused()
    {
        var device = DeviceId.New();

        AssertRefused(
            Send(60, new DeviceEnvelope(device, Envelope), new DeviceEnvelope(DeviceId.New(), Envelope)) with { LeftOut = [DeviceId.New(), device] });
    }

    [Fact]
    public void A_message_may_leave_32_devices_out_and_no_more()
    {
        var message = Send(60, new DeviceEnvelope(DeviceId.New(), Envelope));
        DeviceId[] most = [.. Enumerable.Range(0, ProtocolLimits.DevicesPerClient).Select(_ => DeviceId.New())];

        Assert.Equal(most, ReadBack(message with { LeftOut = most }).LeftOut);
        AssertRefused(message with { LeftOut = [.. most, DeviceId.New()] });
    }

    [Fact]
    public void A_message_that_leaves_every_device_out_is_refused() => AssertRefused(Send(60) with { LeftOut = [DeviceId.New()] });

    [Fact]
    public void A_link_over_its_size_is_refused()
    {
        var found = new ClientFound(default, "bob", default, [new FoundDevice([1], new byte[ProtocolLimits.DeviceLinkBytes])]);

        Assert.Equal(97, ReadBack(found).Devices[0].Link.Length);
        AssertRefused(found with { Devices = [new FoundDevice([1], new byte[98])] });
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
        var largest = new byte[148 + ((ProtocolLimits.EnvelopeBytes - 148) / 16 * 16)];
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

    [Theory]
    [InlineData(MessageCode.ClientHello)]
    [InlineData(MessageCode.ServerHello)]
    [InlineData(MessageCode.Bundle)]
    public void A_bundle_holds_no_bundle_and_no_hello(MessageCode code) =>
        AssertRefused(new Bundle([new BundledFrame(MessageCode.Done, 1, []), new BundledFrame(code, 0, [])]));

    [Fact]
    public void A_bundle_that_is_taken_apart_in_place_is_read_as_it_is_as_a_whole()
    {
        var bundle = new Bundle([new BundledFrame(MessageCode.Done, 7, []), new BundledFrame(MessageCode.Deliver, 0, [1, 2, 3])]);
        ReadOnlySpan<byte> rest = WireWriter.ToArray(bundle);
        foreach (var (code, requestId, payload) in bundle.Frames)
        {
            Bundle.ReadHead(rest, out var readCode, out var readId, out var length);
            Assert.Equal((code, requestId), (readCode, readId));
            Assert.Equal(payload, rest.Slice(Bundle.HeadSize, length).ToArray());

            var head = new byte[Bundle.HeadSize];
            Bundle.WriteHead(head, code, requestId, payload.Length);
            Assert.Equal(rest[..Bundle.HeadSize].ToArray(), head);
            rest = rest[(Bundle.HeadSize + length)..];
        }

        Assert.True(rest.IsEmpty);
    }

    [Theory]
    [InlineData("")]
    [InlineData("064F0000000500000000FF")]
    [InlineData("064F00000005000000")]
    [InlineData("064F0000000500000001")]
    [InlineData("064F00000005FFFFFFFF")]
    public void A_bundle_that_ends_inside_a_frame_is_refused_however_it_is_read(string hex)
    {
        var bytes = Convert.FromHexString(hex);
        AssertRefused<Bundle>(bytes);
        var error = Assert.Throws<ProtocolException>(() =>
        {
            ReadOnlySpan<byte> rest = bytes;
            do
            {
                Bundle.ReadHead(rest, out _, out _, out var length);
                rest = rest[(Bundle.HeadSize + length)..];
            }
            while (!rest.IsEmpty);
        });
        Assert.Equal(ProtocolError.Malformed, error.Error);
    }

    [Fact]
    public void A_blob_has_an_id_and_a_size_and_is_kept_for_30_days_at_most()
    {
        var blob = new BlobId(Guid.NewGuid());

        Assert.Equal(ProtocolLimits.TimeToLiveSeconds, ReadBack(Start(blob, 1, ProtocolLimits.TimeToLiveSeconds)).TimeToLiveSeconds);
        Assert.Equal(long.MaxValue, ReadBack(Start(blob, long.MaxValue, 0)).Size);
        AssertRefused(Start(blob, 1, ProtocolLimits.TimeToLiveSeconds + 1));
        AssertRefused(Start(blob, 0, 0));
        AssertRefused(Start(blob, -1, 0));
        AssertRefused(Start(default, 1, 0));
        AssertRefused(new DeleteBlobRequest(default));
    }

    [Fact]
    public void A_piece_of_a_blob_has_1_byte_to_128_KiB()
    {
        var blob = new BlobId(Guid.NewGuid());
        var most = new byte[ProtocolLimits.BlobChunkBytes];

        Assert.Equal(most, ReadBack(new WriteBlobRequest(blob, 0, most)).Content);
        AssertRefused(new WriteBlobRequest(blob, 0, [.. most, 0]));
        AssertRefused(new WriteBlobRequest(blob, 0, []));
        AssertRefused(new WriteBlobRequest(blob, -1, most));
        Assert.Equal(131_072u, ReadBack(new ReadBlobRequest(blob, 0, ProtocolLimits.BlobChunkBytes)).MaxBytes);
        AssertRefused(new ReadBlobRequest(blob, 0, ProtocolLimits.BlobChunkBytes + 1));
        AssertRefused(new ReadBlobRequest(blob, 0, 0));
        AssertRefused(new ReadBlobRequest(blob, -1, 1));
        Assert.Equal(0, ReadBack(new BlobData(1, 1, default)).Content.Length);
    }

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
        Assert.DoesNotContain("8081", MessageSample.All[MessageCode.DeleteBlob].Message.ToString(), StringComparison.Ordinal);
        Assert.Equal("key 7", new VersionedKey(7, new byte[32]).ToString());
        // Byte arrays print their type alone; only text shows itself.
        Assert.All(MessageSample.All.Values, sample => Assert.DoesNotContain("one-time", sample.Message.ToString(), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(255)]
    public void A_one_time_prekey_of_a_kind_that_is_not_known_is_refused(byte kind) =>
        AssertRefused<UploadPrekeysRequest>([0, 0, 0, 0, 0, 0, 0, 1, kind, 0, 0, 0, 1, .. new byte[1248]]);

    [Fact]
    public void Ids_of_one_time_prekeys_rise_within_each_kind()
    {
        Assert.Equal(4, ReadBack(Upload(0, X25519(1), MlKem768(1), X25519(5), MlKem768(2))).OneTimePrekeys.Count);
        AssertRefused(Upload(0, X25519(0)));
        AssertRefused(Upload(0, MlKem768(0)));
        AssertRefused(Upload(0, X25519(1), MlKem768(2), X25519(1)));
        AssertRefused(Upload(0, MlKem768(3), X25519(7), MlKem768(2)));
    }

    [Fact]
    public void An_upload_drops_none_of_its_own_one_time_prekeys()
    {
        Assert.Equal(5u, ReadBack(Upload(5, X25519(5), MlKem768(6))).DropBelow);
        AssertRefused(Upload(6, X25519(5), MlKem768(6)));
        AssertRefused(Upload(7, X25519(7), MlKem768(6)));
    }

    [Fact]
    public void An_upload_may_have_200_one_time_prekeys_and_no_more_and_fits_a_frame()
    {
        OneTimePrekey[] most = [.. Enumerable.Range(1, ProtocolLimits.OneTimePrekeysPerUpload).Select(static id => MlKem768((uint)id))];

        var payload = WireWriter.ToArray(new UploadPrekeysRequest(new byte[ProtocolLimits.PrekeyBundleBytes], 0, most));
        Assert.Equal(200, WireReader.ReadWhole<UploadPrekeysRequest>(payload).OneTimePrekeys.Count);
        Assert.True(payload.Length < ProtocolLimits.PayloadAfterAuthentication / 2);
        AssertRefused(Upload(0, [.. most, X25519(1)]));
    }

    [Fact]
    public void A_fetched_device_has_at_most_one_one_time_prekey_of_each_kind()
    {
        Assert.Equal(2, ReadBack(Fetched(X25519(1), MlKem768(1))).Bundles[0].OneTimePrekeys.Count);
        Assert.Equal(2, ReadBack(Fetched(MlKem768(1), X25519(1))).Bundles[0].OneTimePrekeys.Count);
        AssertRefused(Fetched(X25519(1), X25519(2)));
        AssertRefused(Fetched(MlKem768(1), MlKem768(2)));
        AssertRefused(Fetched(X25519(1), MlKem768(1), X25519(2)));
    }

    [Fact]
    public void The_prekeys_of_32_devices_fit_a_frame()
    {
        var device = new DevicePrekeyBundle(DeviceId.New(), new byte[ProtocolLimits.PrekeyBundleBytes], [X25519(1), MlKem768(1)]);

        var payload = WireWriter.ToArray(new PrekeysReply([.. Enumerable.Repeat(device, ProtocolLimits.DevicesPerClient)]));
        Assert.Equal(32, WireReader.ReadWhole<PrekeysReply>(payload).Bundles.Count);
        Assert.True(payload.Length < ProtocolLimits.PayloadAfterAuthentication);
    }

    private static UploadPrekeysRequest Upload(uint dropBelow, params OneTimePrekey[] keys) => new([], dropBelow, keys);

    private static PrekeysReply Fetched(params OneTimePrekey[] keys) => new([new DevicePrekeyBundle(DeviceId.New(), [], keys)]);

    private static OneTimePrekey X25519(uint id) => new(OneTimePrekeyKind.X25519, id, new byte[32]);

    private static OneTimePrekey MlKem768(uint id) => new(OneTimePrekeyKind.MlKem768, id, new byte[1248]);
    private static StartBlobRequest Start(BlobId blob, long size, uint timeToLive) => new(blob, size, new byte[32], timeToLive);

    private static ServerKeys Keys(VersionedKey[] service, VersionedKey[] ticketSigning) => new(new byte[32], service, ticketSigning);

    private static SendMessageRequest Send(uint timeToLive, params DeviceEnvelope[] envelopes) =>
        new(MessageId.New(), ClientId.New(), timeToLive, DeliveryKind.Durable, envelopes, []);

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
