using System.Globalization;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Protocol.Tests;

/// <summary>What docs/protocol.md says of frames and messages is what the code does.</summary>
public sealed class SpecificationTests
{
    // A message up to this size is shown in full; longer ones are mostly keys.
    private const int ShownInFull = 128;

    public static TheoryData<MessageCode> Codes => [.. Enum.GetValues<MessageCode>()];

    [Fact]
    public void The_example_of_a_header_is_read_as_it_says()
    {
        Assert.True(FrameHeader.TryRead(
            new System.Buffers.ReadOnlySequence<byte>(SpecificationDocument.Example("frame-header")), 65_536, out var header));

        Assert.Equal(Convert.ToHexString(MessageSample.Bytes(0x60, 16)), header.Session.ToString().ToUpperInvariant());
        Assert.Equal((MessageCode.SendMessage, 0x01020304u, 43_981), (header.Code, header.RequestId, header.PayloadSize));
    }

    [Fact]
    public void The_example_of_an_answer_to_version_24_is_that_answer()
    {
        var payload = WireWriter.ToArray(new ErrorReply(ProtocolError.UnsupportedVersion, 0));
        var header = new byte[FrameHeader.Size];
        new FrameHeader(default, MessageCode.Error, 0, payload.Length).Write(header);

        Assert.Equal([.. header, .. payload], SpecificationDocument.Example("version-24-answer"));
    }

    [Theory]
    [MemberData(nameof(Codes))]
    public void Every_code_has_a_row_and_a_section(MessageCode code)
    {
        var row = SpecificationDocument.Table("code", "name").SingleOrDefault(cells => cells[0] == $"{code:D}");

        Assert.True(row is not null, $"docs/protocol.md has no row for {code:D}.");
        Assert.True(SpecificationDocument.HasSection($"### {code:D} {row[1]}"), $"docs/protocol.md has no section for {code:D} {row[1]}.");
    }

    [Fact]
    public void Every_row_is_a_code() => Assert.All(
        SpecificationDocument.Table("code", "name"),
        cells => Assert.True(Enum.IsDefined((MessageCode)Number(cells[0])), cells[0]));

    [Theory]
    [MemberData(nameof(Codes))]
    public void The_example_of_a_message_is_its_golden_bytes(MessageCode code)
    {
        var golden = Golden.Payload(code);
        var isShown = SpecificationDocument.ExampleNames.Contains($"message-{code:D}");

        Assert.True(isShown || golden.Length > ShownInFull, $"docs/protocol.md has no example of {code:D}.");
        if (isShown)
        {
            Assert.Equal(golden, SpecificationDocument.Example($"message-{code:D}"));
        }
    }

    [Fact]
    public void The_example_of_a_message_to_send_is_read_as_it_says()
    {
        var example = SpecificationDocument.Example("send-message");

        var request = WireReader.ReadWhole<SendMessageRequest>(example);

        var golden = (SendMessageRequest)MessageSample.All[MessageCode.SendMessage].Message;
        Assert.Equal(golden.Message, request.Message);
        Assert.Equal(golden.Recipient, request.Recipient);
        Assert.Equal(3600u, request.TimeToLiveSeconds);
        Assert.Equal(golden.Envelopes[0].Device, Assert.Single(request.Envelopes).Device);
        Assert.Equal(golden.Envelopes[1].Device, Assert.Single(request.LeftOut));
        Assert.Equal(example, WireWriter.ToArray(request));
    }

    [Fact]
    public void The_error_codes_are_those_of_the_table() => Assert.Equal(
        Enum.GetValues<ProtocolError>().Select(error => $"{error:D} {error:G}").Order(),
        SpecificationDocument.Table("number", "error").Select(cells => $"{cells[0]} {Name(cells[1])}").Order());

    [Fact]
    public void The_kinds_of_notice_are_those_of_the_table() => Assert.Equal(
        Enum.GetValues<NoticeKind>().Select(kind => $"{kind:D} {kind:G}"),
        SpecificationDocument.Table("kind", "meaning").Select(cells => $"{cells[0]} {Name(cells[1].Split(':')[0])}"));

    [Fact]
    public void The_kinds_of_revocation_are_those_of_the_table() => Assert.Equal(
        Enum.GetValues<RevocationKind>().Select(kind => $"{kind:D} {kind:G}"),
        SpecificationDocument.Table("revoked", "meaning").Select(cells => $"{cells[0]} {Name(cells[1].Split(':')[0])}"));

    [Fact]
    public void The_reasons_of_a_refused_registration_are_those_of_the_table() => Assert.Equal(
        Enum.GetValues<RegistrationRefusal>().Select(reason => $"{reason:D} {reason:G}"),
        SpecificationDocument.Table("reason", "meaning").Select(cells => $"{cells[0]} {Name(cells[1].Split(':')[0])}"));

    [Fact]
    public void The_kinds_of_one_time_prekey_and_their_sizes_are_those_of_the_table() => Assert.Equal(
        [
            (OneTimePrekeyKind.X25519, ProtocolLimits.X25519PrekeyBytes),
            (OneTimePrekeyKind.MlKem768, ProtocolLimits.MlKem768PrekeyBytes),
        ],
        SpecificationDocument.Table("one-time prekey", "bytes").Select(cells => ((OneTimePrekeyKind)Number(cells[0]), Number(cells[1]))));

    [Fact]
    public void The_examples_of_one_time_prekeys_are_read_as_they_say()
    {
        var upload = WireReader.ReadWhole<UploadPrekeysRequest>(SpecificationDocument.Example("upload-one-time-prekeys"));
        var reply = WireReader.ReadWhole<PrekeysReply>(SpecificationDocument.Example("fetched-one-time-prekey"));

        Assert.Empty(upload.Bundle);
        Assert.Equal(7u, upload.DropBelow);
        Assert.Equal(
            [(OneTimePrekeyKind.X25519, 7u), (OneTimePrekeyKind.X25519, 9u)],
            upload.OneTimePrekeys.Select(static key => (key.Kind, key.Id)));
        var key = Assert.Single(Assert.Single(reply.Bundles).OneTimePrekeys);
        Assert.Equal((upload.OneTimePrekeys[0].Kind, upload.OneTimePrekeys[0].Id), (key.Kind, key.Id));
        Assert.Equal(upload.OneTimePrekeys[0].Key, key.Key);
    }

    [Fact]
    public void The_limits_are_those_of_the_table() => Assert.Equal(
        [
            ("client, device or server name", ProtocolLimits.NameBytes),
            ("host name", ProtocolLimits.HostBytes),
            ("one-time token", ProtocolLimits.TokenBytes),
            ("ticket", ProtocolLimits.TicketBytes),
            ("authenticator or sealed reply part", ProtocolLimits.SealedPartBytes),
            ("device certificate", ProtocolLimits.CertificateBytes),
            ("device link", ProtocolLimits.DeviceLinkBytes),
            ("prekey bundle", ProtocolLimits.PrekeyBundleBytes),
            ("one-time prekeys in one upload", ProtocolLimits.OneTimePrekeysPerUpload),
            ("one-time prekeys of one kind that a device has here", ProtocolLimits.OneTimePrekeysPerKind),
            ("end-to-end envelope", ProtocolLimits.EnvelopeBytes),
            ("devices of a client, envelopes in one message", ProtocolLimits.DevicesPerClient),
            ("message servers in one list", ProtocolLimits.ServersPerRealm),
            ("ranges in one acknowledgement", ProtocolLimits.RangesPerAcknowledgement),
            ("versions of one kind of key", ProtocolLimits.KeyVersions),
            ("revocations in one push", ProtocolLimits.RevocationsPerPush),
            ("previous keys", ProtocolLimits.PreviousKeysBytes),
            ("bytes of a blob in one frame", ProtocolLimits.BlobChunkBytes),
            ("time to live in seconds", (int)ProtocolLimits.TimeToLiveSeconds),
            ("payload before authentication", ProtocolLimits.PayloadBeforeAuthentication),
            ("payload after authentication", ProtocolLimits.PayloadAfterAuthentication),
        ],
        SpecificationDocument.Table("limit", "value").Select(cells => (cells[0], Number(cells[1]))));

    private static int Number(string cell) => int.Parse(cell, CultureInfo.InvariantCulture);

    // "not signed in" → NotSignedIn
    private static string Name(string words) =>
        string.Concat(words.Split(' ').Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
}
