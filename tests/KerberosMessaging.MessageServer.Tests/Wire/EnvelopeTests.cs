using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;
using Microsoft.Extensions.DependencyInjection;

namespace KerberosMessaging.MessageServer.Tests.Wire;

/// <summary>Envelopes and addresses that a sender of ours would not send, and the edges of what it may.</summary>
public sealed class EnvelopeTests : IAsyncLifetime
{
    private const int SmallestRatchet = 148;
    private const int LargestRatchet = TestEnvelope.Overhead + (16 * TestEnvelope.MostBlocks);

    // Identity, three prekey ids and a kind, base key, ML-KEM ciphertext, length of the credentials.
    private const int SmallestPrekey = SmallestRatchet + 64 + 13 + 32 + 1088 + 2;
    private const int LargestPrekey = SmallestPrekey + ((ProtocolLimits.EnvelopeBytes - SmallestPrekey) / 16 * 16);

    private readonly TestDevice _alice = TestDevice.Of("alice");
    private readonly TestDevice _bob = TestDevice.Of("bob");
    private TestServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData(0, EnvelopeShape.RatchetKind, SmallestRatchet)]
    [InlineData(1, EnvelopeShape.RatchetKind, SmallestRatchet)]
    [InlineData(3, EnvelopeShape.RatchetKind, SmallestRatchet)]
    [InlineData(EnvelopeShape.Version, 0, SmallestRatchet)]
    [InlineData(EnvelopeShape.Version, 3, 2000)]
    [InlineData(EnvelopeShape.Version, EnvelopeShape.RatchetKind, SmallestRatchet - 1)]
    [InlineData(EnvelopeShape.Version, EnvelopeShape.RatchetKind, SmallestRatchet + 15)]
    [InlineData(EnvelopeShape.Version, EnvelopeShape.RatchetKind, LargestRatchet + 16)]
    [InlineData(EnvelopeShape.Version, EnvelopeShape.PrekeyKind, SmallestPrekey - 1)]
    [InlineData(EnvelopeShape.Version, EnvelopeShape.PrekeyKind, SmallestPrekey + 1)]
    [InlineData(EnvelopeShape.Version, EnvelopeShape.PrekeyKind, LargestPrekey + 16)]
    public Task An_envelope_of_wrong_shape_is_malformed(byte version, byte kind, int length) =>
        AssertMalformedAsync(TestClient.Message(_bob, Envelope(version, kind, length)));

    [Theory]
    [InlineData(EnvelopeShape.RatchetKind, SmallestRatchet)]
    [InlineData(EnvelopeShape.RatchetKind, LargestRatchet)]
    [InlineData(EnvelopeShape.PrekeyKind, SmallestPrekey)]
    [InlineData(EnvelopeShape.PrekeyKind, LargestPrekey)]
    public async Task An_envelope_at_the_edge_of_its_shape_passes(byte kind, int length)
    {
        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        await bob.GrantAsync(1, Cancellation);
        await using var alice = await _server.SignInAsync(_alice, Cancellation);
        var envelope = Envelope(EnvelopeShape.Version, kind, length);
        await alice.SendAsync(_bob, Cancellation, envelope);
        Assert.Equal(envelope, (await bob.NextDeliveryAsync(Cancellation)).Envelope.ToArray());
    }

    [Fact]
    public Task A_message_without_envelopes_is_malformed() => AssertMalformedAsync(TestClient.Message(_bob) with { Envelopes = [] });

    [Fact]
    public Task A_message_that_names_a_device_twice_is_malformed() => AssertMalformedAsync(
        TestClient.Message(_bob) with { Envelopes = [new(_bob.Device, TestEnvelope.Make()), new(_bob.Device, TestEnvelope.Make())] });

    [Fact]
    public Task A_message_with_an_envelope_for_a_device_that_it_leaves_out_is_malformed() =>
        AssertMalformedAsync(TestClient.Message(_bob) with { LeftOut = [DeviceId.New(), _bob.Device] });

    [Fact]
    public async Task A_message_that_leaves_a_device_out_twice_is_malformed()
    {
        var device = DeviceId.New();
        await AssertMalformedAsync(TestClient.Message(_bob) with { LeftOut = [device, device] });
    }

    [Fact]
    public Task A_message_for_more_devices_than_a_client_can_have_is_malformed() => AssertMalformedAsync(TestClient.Message(_bob) with
    {
        Envelopes = [.. Enumerable.Range(0, ProtocolLimits.DevicesPerClient + 1).Select(static _ => new DeviceEnvelope(DeviceId.New(), TestEnvelope.Make()))],
    });

    [Fact]
    public Task A_message_that_would_wait_too_long_is_malformed() =>
        AssertMalformedAsync(TestClient.Message(_bob) with { TimeToLiveSeconds = ProtocolLimits.TimeToLiveSeconds + 1 });

    [Fact]
    public Task A_message_of_unknown_delivery_is_malformed() => AssertMalformedAsync(TestClient.Message(_bob) with { Kind = (DeliveryKind)2 });

    [Fact]
    public async Task A_message_of_which_one_envelope_is_wrong_goes_to_nobody()
    {
        var phone = TestDevice.Of("bob", _bob.Client);
        await using (await _server.SignInAsync(phone, Cancellation))
        {
        }

        await AssertMalformedAsync(TestClient.Message(phone) with { Envelopes = [new(phone.Device, TestEnvelope.Make()), new(_bob.Device, [])] });
        await using var again = await _server.SignInAsync(phone, Cancellation);
        Assert.Equal(0ul, (await again.GrantAsync(1, Cancellation)).NewestWaiting);
    }

    [Fact]
    public async Task A_removed_device_is_unknown_and_its_mail_is_gone()
    {
        var phone = TestDevice.Of("bob", _bob.Client);
        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        await using (await _server.SignInAsync(phone, Cancellation))
        {
        }

        await using var alice = await _server.SignInAsync(_alice, Cancellation);
        var both = TestClient.Message(_bob) with { Envelopes = [new(_bob.Device, TestEnvelope.Make()), new(phone.Device, TestEnvelope.Make())] };
        await alice.Connection.RequestAsync<MessageAccepted>(both, Cancellation);
        Assert.True((await _server.App.Services.GetRequiredService<MailboxDirectory>().CloseAsync(phone.Address)).IsDone);

        var mismatch = await alice.Connection.RequestAsync<DevicesMismatched>(both with { Message = MessageId.New() }, Cancellation);
        Assert.Equal([phone.Device], mismatch.Unknown);
        Assert.Empty(mismatch.Missing);

        // A repeat of what was accepted is accepted still.
        await alice.Connection.RequestAsync<MessageAccepted>(both, Cancellation);
        await alice.SendAsync(_bob, Cancellation);

        // A new device under the old id, were there one, finds nothing.
        await using var again = await _server.SignInAsync(phone, Cancellation);
        Assert.Equal(0ul, (await again.GrantAsync(10, Cancellation)).NewestWaiting);
        await bob.GrantAsync(10, Cancellation);
        Assert.Equal(2, (await bob.NextDeliveriesAsync(2, Cancellation)).Count);
    }

    [Fact]
    public async Task A_client_whose_last_device_was_removed_is_unknown()
    {
        await using (await _server.SignInAsync(_bob, Cancellation))
        {
        }

        await using var alice = await _server.SignInAsync(_alice, Cancellation);
        await alice.SendAsync(_bob, Cancellation);
        Assert.True((await _server.App.Services.GetRequiredService<MailboxDirectory>().CloseAsync(_bob.Address)).IsDone);
        var refusal = await Assert.ThrowsAsync<RequestRefusedException>(() => alice.SendAsync(_bob, Cancellation));
        Assert.Equal(ProtocolError.UnknownClient, refusal.Error);
    }

    [Fact]
    public async Task Who_writes_to_itself_means_its_other_devices_and_may_name_its_own()
    {
        var phone = TestDevice.Of("alice", _alice.Client);
        await using var laptop = await _server.SignInAsync(_alice, Cancellation);
        await laptop.GrantAsync(10, Cancellation);

        // With one device there is nobody else; an envelope for itself is not refused.
        await laptop.SendAsync(_alice, Cancellation);
        Assert.Equal(_alice.Device, (await laptop.NextDeliveryAsync(Cancellation)).SenderDevice);

        await using var other = await _server.SignInAsync(phone, Cancellation);
        await other.GrantAsync(10, Cancellation);
        var message = TestClient.Message(phone);
        await laptop.Connection.RequestAsync<MessageAccepted>(message, Cancellation);
        Assert.Equal(message.Message, (await other.NextDeliveryAsync(Cancellation)).Message);
        await laptop.FenceAsync(Cancellation);
        Assert.Equal(0, laptop.Waiting);

        var mismatch = await laptop.Connection.RequestAsync<DevicesMismatched>(TestClient.Message(_alice), Cancellation);
        Assert.Equal([phone.Device], mismatch.Missing);
        Assert.Empty(mismatch.Unknown);
    }

    private static byte[] Envelope(byte version, byte kind, int length)
    {
        var envelope = new byte[length];
        (envelope[0], envelope[1]) = (version, kind);
        envelope[kind == EnvelopeShape.PrekeyKind ? 2 + SmallestPrekey - SmallestRatchet + 1 : 3] = 96;
        return envelope;
    }

    private async Task AssertMalformedAsync(SendMessageRequest message)
    {
        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        await using var alice = await _server.SignInAsync(_alice, Cancellation);
        await Assert.ThrowsAsync<ChannelException>(() => alice.Connection.RequestAsync(message, Cancellation));
        var end = await alice.Connection.Ended.WaitAsync(Cancellation);
        Assert.Equal((ChannelFailure.RefusedByPeer, ProtocolError.Malformed), (end.Failure, end.PeerError));
        Assert.Equal(0ul, (await bob.GrantAsync(1, Cancellation)).NewestWaiting);
    }
}
