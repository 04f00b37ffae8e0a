using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.Transport.Tests;

public sealed class HandshakeTests
{
    private const int ClientHelloFrame = FrameHeader.Size + 32 + XWing.PublicKeySize;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Both_ends_agree_on_session_binding_server_key_and_time()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 5, 6, 7, 8, 9, 10, TimeSpan.Zero).AddTicks(1234));

        using var channel = await ChannelPair.OpenAsync(serverOptions: new ChannelOptions { Time = time });

        Assert.False(channel.Client.Session.IsZero);
        Assert.Equal(channel.Client.Session, channel.Server.Session);
        Assert.Equal(32, channel.Client.ChannelBinding.Length);
        Assert.Equal(channel.Client.ChannelBinding.ToArray(), channel.Server.ChannelBinding.ToArray());
        Assert.Equal(ChannelPair.ServerId, channel.Client.Server);
        Assert.Equal(ChannelPair.ServerId, channel.Server.Server);
        Assert.Equal(ChannelPair.SigningKey.PublicKey.ToArray(), channel.Client.ServerSigningKey.ToArray());
        Assert.Equal(new DateTimeOffset(2026, 5, 6, 7, 8, 9, 10, TimeSpan.Zero), channel.Client.ServerTime);
        Assert.Equal(channel.Client.ServerTime, channel.Server.ServerTime);
        await channel.CarryToServerAsync(1);
        await channel.CarryToClientAsync(1);
    }

    [Fact]
    public async Task Two_channels_of_the_same_ends_have_nothing_in_common()
    {
        using var first = await ChannelPair.OpenAsync();
        using var second = await ChannelPair.OpenAsync();

        Assert.NotEqual(first.Client.Session, second.Client.Session);
        Assert.NotEqual(first.Client.ChannelBinding.ToArray(), second.Client.ChannelBinding.ToArray());
    }

    [Fact]
    public async Task A_server_with_another_key_is_not_trusted_and_gets_nothing_but_the_hello()
    {
        var wire = new Wire();
        var connecting = SecureChannel.ConnectAsync(wire.Client, static _ => false, new ChannelOptions(), Cancel);
        var hello = wire.TakeFromClient();
        Assert.Equal(ClientHelloFrame, hello.Length);
        await wire.SendToServerAsync(hello);
        using var server = await ChannelPair.AcceptAsync(wire);

        await wire.SendToClientAsync(wire.TakeFromServer());

        await Check.FailedAsync(ChannelFailure.UntrustedServer, () => connecting);
        Assert.Empty(wire.TakeFromClient());
    }

    [Fact]
    public async Task A_key_whose_signature_does_not_verify_is_not_even_looked_at()
    {
        using var other = Ed25519PrivateKey.Generate();
        var asked = false;
        var wire = new Wire();
        var connecting = SecureChannel.ConnectAsync(
            wire.Client,
            _ => asked = true,
            new ChannelOptions(),
            Cancel);
        await wire.SendToServerAsync(wire.TakeFromClient());
        using var server = await ChannelPair.AcceptAsync(wire);
        var hello = wire.TakeFromServer();
        // The expected key under another key's signature.
        other.Sign(hello.AsSpan(0, hello.Length - 64)).CopyTo(hello, hello.Length - 64);

        await wire.SendToClientAsync(hello);

        await Check.FailedAsync(ChannelFailure.HandshakeFailed, () => connecting);
        Assert.False(asked);
    }

    [Fact]
    public async Task A_server_hello_for_another_client_hello_does_not_verify()
    {
        var first = new Wire();
        _ = SecureChannel.ConnectAsync(first.Client, ChannelPair.IsExpectedKey, new ChannelOptions(), Cancel);
        await first.SendToServerAsync(first.TakeFromClient());
        using var server = await ChannelPair.AcceptAsync(first);
        var second = new Wire();
        var connecting = SecureChannel.ConnectAsync(second.Client, ChannelPair.IsExpectedKey, new ChannelOptions(), Cancel);

        await second.SendToClientAsync(first.TakeFromServer());

        await Check.FailedAsync(ChannelFailure.HandshakeFailed, () => connecting);
    }

    [Fact]
    public async Task Any_bit_of_the_client_hello_that_changes_on_the_way_ends_the_handshake()
    {
        for (var position = 0; position < ClientHelloFrame; position++)
        {
            await AssertChangedClientHelloFailsAsync(position, (byte)(1 << (position % 8)));
        }

        // The header decides what happens next, so each of its bits counts.
        for (var bit = 0; bit < FrameHeader.Size * 8; bit++)
        {
            await AssertChangedClientHelloFailsAsync(bit / 8, (byte)(1 << (bit % 8)));
        }
    }

    [Fact]
    public async Task Any_bit_of_the_server_hello_that_changes_on_the_way_ends_the_handshake()
    {
        const int ServerHelloFrame = FrameHeader.Size + 32 + XWing.CiphertextSize + 16 + 16 + 8 + 32 + 64;
        for (var position = 0; position < ServerHelloFrame; position++)
        {
            await AssertChangedServerHelloFailsAsync(position, (byte)(1 << (position % 8)), ServerHelloFrame);
        }

        for (var bit = 0; bit < FrameHeader.Size * 8; bit++)
        {
            await AssertChangedServerHelloFailsAsync(bit / 8, (byte)(1 << (bit % 8)), ServerHelloFrame);
        }
    }

    [Fact]
    public async Task A_client_hello_that_is_cut_off_is_malformed()
    {
        var wire = new Wire();
        _ = SecureChannel.ConnectAsync(wire.Client, ChannelPair.IsExpectedKey, new ChannelOptions(), Cancel);
        var hello = wire.TakeFromClient();

        for (var length = 1; length < hello.Length; length++)
        {
            var cut = new Wire();
            await cut.SendToServerAsync(hello.AsMemory(0, length));
            await cut.EndTowardsServerAsync();

            await Check.RefusedAsync(ProtocolError.Malformed, () => ChannelPair.AcceptAsync(cut));
            AssertClearError(ProtocolError.Malformed, 0, cut.TakeFromServer());
        }
    }

    [Fact]
    public async Task A_peer_that_leaves_without_a_byte_is_no_error()
    {
        var wire = new Wire();
        await wire.EndTowardsServerAsync();

        Assert.Null(await ChannelPair.AcceptAsync(wire));
        Assert.Empty(wire.TakeFromServer());
    }

    [Fact]
    public async Task A_server_that_leaves_without_a_byte_is_a_lost_connection()
    {
        var wire = new Wire();
        var connecting = SecureChannel.ConnectAsync(wire.Client, ChannelPair.IsExpectedKey, new ChannelOptions(), Cancel);

        await wire.EndTowardsClientAsync();

        await Check.FailedAsync(ChannelFailure.ConnectionLost, () => connecting);
    }

    [Fact]
    public async Task An_error_frame_instead_of_the_server_hello_is_reported_with_its_code()
    {
        var wire = new Wire();
        var connecting = SecureChannel.ConnectAsync(wire.Client, ChannelPair.IsExpectedKey, new ChannelOptions(), Cancel);

        await wire.SendToClientAsync(KeySchedule.Frame(new ErrorReply(ProtocolError.Busy, 0), 0));

        var e = await Check.FailedAsync(ChannelFailure.RefusedByPeer, () => connecting);
        Assert.Equal(ProtocolError.Busy, e.PeerError);
    }

    [Fact]
    public async Task A_malformed_error_frame_instead_of_the_server_hello_is_a_failed_handshake()
    {
        var wire = new Wire();
        var connecting = SecureChannel.ConnectAsync(wire.Client, ChannelPair.IsExpectedKey, new ChannelOptions(), Cancel);

        await wire.SendToClientAsync(KeySchedule.Frame(new RawMessage(MessageCode.Error, [1]), 0));

        await Check.FailedAsync(ChannelFailure.HandshakeFailed, () => connecting);
    }

    [Theory]
    [InlineData(MessageCode.ServerHello)]
    [InlineData(MessageCode.LookUpClient)]
    public async Task A_first_frame_that_is_no_client_hello_fails_the_channel(MessageCode code)
    {
        var wire = new Wire();

        await wire.SendToServerAsync(KeySchedule.Frame(new RawMessage(code, new byte[32 + XWing.PublicKeySize]), 7));

        await Check.RefusedAsync(ProtocolError.ChannelFailed, () => ChannelPair.AcceptAsync(wire));
        AssertClearError(ProtocolError.ChannelFailed, 7, wire.TakeFromServer());
    }

    [Fact]
    public async Task A_public_key_that_nothing_can_be_encapsulated_to_fails_the_channel()
    {
        byte[][] keys =
        [
            [.. Enumerable.Repeat((byte)0xFF, XWing.PublicKeySize)],    // not reduced
            new byte[XWing.PublicKeySize],                             // X25519 part of low order
        ];
        foreach (var key in keys)
        {
            var wire = new Wire();
            await wire.SendToServerAsync(KeySchedule.Frame(new ClientHello(new byte[32], key), 0));

            await Check.RefusedAsync(ProtocolError.ChannelFailed, () => ChannelPair.AcceptAsync(wire));
            AssertClearError(ProtocolError.ChannelFailed, 0, wire.TakeFromServer());
        }
    }

    [Fact]
    public async Task A_first_frame_over_the_limit_is_refused_on_its_header()
    {
        var wire = new Wire();
        var header = new byte[FrameHeader.Size];
        new FrameHeader(default, MessageCode.ClientHello, 0, ProtocolLimits.PayloadBeforeAuthentication + 1).Write(header);

        await wire.SendToServerAsync(header);

        await Check.RefusedAsync(ProtocolError.TooLarge, () => ChannelPair.AcceptAsync(wire));
        AssertClearError(ProtocolError.TooLarge, 0, wire.TakeFromServer());
    }

    [Fact]
    public async Task A_first_frame_of_version_24_gets_an_error_frame_that_it_can_read()
    {
        var wire = new Wire();
        var older = new byte[FrameHeader.HeaderSize];
        older[16] = 24;
        older[17] = 4;

        await wire.SendToServerAsync(older);

        await Check.RefusedAsync(ProtocolError.UnsupportedVersion, () => ChannelPair.AcceptAsync(wire));
        byte[] expected = [.. new byte[16], 25, 1609 >> 8, 1609 & 0xFF, 0, 0, 0, 0, 0, 0, 0, 6, 0, 1, 0, 0, 0, 0];
        Assert.Equal(expected, wire.TakeFromServer());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(ClientHelloFrame - 1)]
    public async Task A_client_that_does_not_finish_its_hello_in_time_is_told_so(int sent)
    {
        var time = new FakeTimeProvider();
        var wire = new Wire();
        _ = SecureChannel.ConnectAsync(wire.Client, ChannelPair.IsExpectedKey, new ChannelOptions(), Cancel);
        var accepting = ChannelPair.AcceptAsync(wire, new ChannelOptions { Time = time });
        await wire.SendToServerAsync(wire.TakeFromClient().AsMemory(0, sent));

        time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.False(accepting.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.1));

        await Check.RefusedAsync(ProtocolError.TimedOut, () => accepting);
        AssertClearError(ProtocolError.TimedOut, 0, wire.TakeFromServer());
    }

    [Fact]
    public async Task A_server_that_does_not_answer_in_time_is_a_lost_connection()
    {
        var time = new FakeTimeProvider();
        var wire = new Wire();
        var connecting = SecureChannel.ConnectAsync(wire.Client, ChannelPair.IsExpectedKey, new ChannelOptions { Time = time }, Cancel);

        time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.False(connecting.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.1));

        await Check.FailedAsync(ChannelFailure.ConnectionLost, () => connecting);
    }

    [Fact]
    public async Task A_cancelled_wait_ends_as_such_on_both_sides()
    {
        using var cancelled = new CancellationTokenSource();
        var wire = new Wire();
        var connecting = SecureChannel.ConnectAsync(wire.Client, ChannelPair.IsExpectedKey, new ChannelOptions(), cancelled.Token);
        var accepting = SecureChannel.AcceptAsync(
            wire.Server, ChannelPair.ServerId, ChannelPair.SigningKey, new ChannelOptions(), cancelled.Token);

        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => accepting);
    }

    private static async Task AssertChangedClientHelloFailsAsync(int position, byte change)
    {
        var wire = new Wire();
        var connecting = SecureChannel.ConnectAsync(wire.Client, ChannelPair.IsExpectedKey, new ChannelOptions(), Cancel);
        var hello = wire.TakeFromClient();
        hello[position] ^= change;
        await wire.SendToServerAsync(hello);
        await wire.EndTowardsServerAsync();

        SecureChannel? server = null;
        ProtocolError? refusal = null;
        try
        {
            server = await ChannelPair.AcceptAsync(wire);
        }
        catch (ProtocolException e)
        {
            refusal = e.Error;
        }

        await wire.SendToClientAsync(wire.TakeFromServer());
        await wire.EndTowardsClientAsync();
        var failure = (await Assert.ThrowsAsync<ChannelException>(() => connecting.WaitAsync(Check.Patience, Cancel))).Failure;
        switch (position)
        {
            case 16:
                Assert.Equal(ProtocolError.UnsupportedVersion, refusal);
                break;
            case >= FrameHeader.HeaderSize and < FrameHeader.Size:
                Assert.True(refusal is ProtocolError.TooLarge or ProtocolError.Malformed, $"{position}: {refusal}");
                break;
            default:
                Assert.True(refusal is null or ProtocolError.ChannelFailed, $"{position}: {refusal}");
                break;
        }

        Assert.Equal(refusal is null ? ChannelFailure.HandshakeFailed : ChannelFailure.RefusedByPeer, failure);
        server?.Dispose();
    }

    private static async Task AssertChangedServerHelloFailsAsync(int position, byte change, int expectedLength)
    {
        var wire = new Wire();
        var connecting = SecureChannel.ConnectAsync(wire.Client, ChannelPair.IsExpectedKey, new ChannelOptions(), Cancel);
        await wire.SendToServerAsync(wire.TakeFromClient());
        using var server = await ChannelPair.AcceptAsync(wire);
        var hello = wire.TakeFromServer();
        Assert.Equal(expectedLength, hello.Length);
        hello[position] ^= change;

        await wire.SendToClientAsync(hello);
        await wire.EndTowardsClientAsync();

        await Check.FailedAsync(ChannelFailure.HandshakeFailed, () => connecting);
        Assert.Empty(wire.TakeFromClient());
    }

    private static void AssertClearError(ProtocolError error, uint requestId, byte[] frame) =>
        Assert.Equal(KeySchedule.Frame(new ErrorReply(error, 0), requestId), frame);
}
