using KerberosMessaging.MessageServer.Persistence.Sqlite;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.MessageServer.Tests.Wire;

public sealed class MessagingTests : IAsyncLifetime
{
    private readonly TestDevice _alice = TestDevice.Of("alice");
    private readonly TestDevice _bob = TestDevice.Of("bob");
    private TestServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() =>
        _server = await TestServer.StartAsync(time: null, "--Mailbox:MaxMessages=300");

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_message_comes_as_it_was_sent_with_its_sender_as_the_ticket_proved_it()
    {
        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        await bob.GrantAsync(10, Cancellation);
        await using var alice = await _server.SignInAsync(_alice, Cancellation);
        var message = TestClient.Message(_bob, TestEnvelope.Make(blocks: 20));
        var accepted = await alice.Connection.RequestAsync<MessageAccepted>(message, Cancellation);

        var delivery = await bob.NextDeliveryAsync(Cancellation);
        Assert.Equal(1ul, delivery.Sequence);
        Assert.Equal(message.Message, delivery.Message);
        Assert.Equal((_alice.Client, _alice.Device, "alice"), (delivery.Sender, delivery.SenderDevice, delivery.SenderName));
        Assert.Equal(accepted.AcceptedAt, delivery.AcceptedAt);
        Assert.Equal(message.Envelopes[0].Envelope, delivery.Envelope.ToArray());
    }

    [Fact]
    public async Task What_is_not_acknowledged_comes_again_in_order_on_a_new_connection()
    {
        await using var alice = await SendWhileBobIsAwayAsync(5);
        await using (var bob = await _server.SignInAsync(_bob, Cancellation))
        {
            Assert.Equal(5ul, (await bob.GrantAsync(10, Cancellation)).NewestWaiting);
            Assert.Equal([1ul, 2, 3, 4, 5], Sequences(await bob.NextDeliveriesAsync(5, Cancellation)));
            await bob.AcknowledgeAsync(1, 2, Cancellation);
            await bob.AcknowledgeAsync(4, 4, Cancellation);
        }

        await using var again = await _server.SignInAsync(_bob, Cancellation);
        await alice.SendAsync(_bob, Cancellation);
        await again.GrantAsync(10, Cancellation);
        Assert.Equal([3ul, 5, 6], Sequences(await again.NextDeliveriesAsync(3, Cancellation)));
        await again.FenceAsync(Cancellation);
        Assert.Equal(0, again.Waiting);
    }

    [Fact]
    public async Task Messages_and_ids_outlive_the_server()
    {
        var message = TestClient.Message(_bob);
        MessageAccepted accepted;
        await using (var bob = await _server.SignInAsync(_bob, Cancellation))
        await using (var alice = await _server.SignInAsync(_alice, Cancellation))
        {
            accepted = await alice.Connection.RequestAsync<MessageAccepted>(message, Cancellation);
        }

        await _server.StopAsync();
        await _server.StartAgainAsync();
        await using (var alice = await _server.SignInAsync(_alice, Cancellation))
        {
            Assert.Equal(accepted, await alice.Connection.RequestAsync<MessageAccepted>(message, Cancellation));
        }

        await using var again = await _server.SignInAsync(_bob, Cancellation);
        Assert.Equal(1ul, (await again.GrantAsync(10, Cancellation)).NewestWaiting);
        Assert.Equal(message.Message, (await again.NextDeliveryAsync(Cancellation)).Message);
        await again.FenceAsync(Cancellation);
        Assert.Equal(0, again.Waiting);
    }

    [Fact]
    public async Task An_acknowledgement_brings_as_much_more_as_it_grants()
    {
        await using var alice = await SendWhileBobIsAwayAsync(3);
        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        await bob.Connection.RequestAsync<Done>(new AcknowledgeRequest([], 1), Cancellation);
        var first = (await bob.NextDeliveryAsync(Cancellation)).Sequence;
        await bob.FenceAsync(Cancellation);
        Assert.Equal(0, bob.Waiting);

        await bob.Connection.RequestAsync<Done>(new AcknowledgeRequest([new SequenceRange(first, first)], 1), Cancellation);
        Assert.Equal(first + 1, (await bob.NextDeliveryAsync(Cancellation)).Sequence);
        await bob.FenceAsync(Cancellation);
        Assert.Equal(0, bob.Waiting);
    }

    [Fact]
    public async Task An_ephemeral_message_comes_to_a_device_that_waits_for_it_and_to_nobody_later()
    {
        await using var alice = await _server.SignInAsync(_alice, Cancellation);
        await using (var bob = await _server.SignInAsync(_bob, Cancellation))
        {
            // Nobody waits yet.
            await alice.Connection.RequestAsync<MessageAccepted>(Ephemeral(), Cancellation);
            Assert.Equal(0ul, (await bob.GrantAsync(1, Cancellation)).NewestWaiting);
            var message = Ephemeral();
            await alice.Connection.RequestAsync<MessageAccepted>(message, Cancellation);
            var delivery = await bob.NextDeliveryAsync(Cancellation);
            Assert.Equal((0ul, message.Message), (delivery.Sequence, delivery.Message));

            // Its credit is used up.
            await alice.Connection.RequestAsync<MessageAccepted>(Ephemeral(), Cancellation);
            await bob.GrantAsync(1, Cancellation);
            await bob.FenceAsync(Cancellation);
            Assert.Equal(0, bob.Waiting);
        }

        await using var again = await _server.SignInAsync(_bob, Cancellation);
        Assert.Equal(0ul, (await again.GrantAsync(10, Cancellation)).NewestWaiting);
        await again.FenceAsync(Cancellation);
        Assert.Equal(0, again.Waiting);

        SendMessageRequest Ephemeral() => TestClient.Message(_bob) with { Kind = DeliveryKind.Ephemeral };
    }

    [Fact]
    public async Task Never_more_is_delivered_than_credit_was_given_for()
    {
        await using var alice = await SendWhileBobIsAwayAsync(3);
        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        await bob.FenceAsync(Cancellation);
        Assert.Equal(0, bob.Waiting);

        Assert.Equal(3ul, (await bob.GrantAsync(2, Cancellation)).NewestWaiting);
        Assert.Equal([1ul, 2], Sequences(await bob.NextDeliveriesAsync(2, Cancellation)));
        await alice.SendAsync(_bob, Cancellation);
        await bob.FenceAsync(Cancellation);
        Assert.Equal(0, bob.Waiting);

        await bob.GrantAsync(0, Cancellation);
        await bob.FenceAsync(Cancellation);
        Assert.Equal(0, bob.Waiting);

        await bob.GrantAsync(1, Cancellation);
        Assert.Equal(3ul, (await bob.NextDeliveryAsync(Cancellation)).Sequence);
        await bob.FenceAsync(Cancellation);
        Assert.Equal(0, bob.Waiting);
        await bob.GrantAsync(1000, Cancellation);
        Assert.Equal(4ul, (await bob.NextDeliveryAsync(Cancellation)).Sequence);
    }

    [Fact]
    public async Task The_newest_waiting_message_is_told_even_if_it_was_pushed_before()
    {
        await using var alice = await SendWhileBobIsAwayAsync(2);
        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        await bob.GrantAsync(10, Cancellation);
        await bob.NextDeliveriesAsync(2, Cancellation);
        Assert.Equal(2ul, (await bob.GrantAsync(1, Cancellation)).NewestWaiting);
        await bob.AcknowledgeAsync(1, 2, Cancellation);
        Assert.Equal(0ul, (await bob.GrantAsync(1, Cancellation)).NewestWaiting);
    }

    [Fact]
    public async Task Pipelined_messages_arrive_in_the_order_of_their_sending()
    {
        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        await using var alice = await _server.SignInAsync(_alice, Cancellation);
        await bob.GrantAsync(1000, Cancellation);
        var messages = Enumerable.Range(0, 200).Select(_ => TestClient.Message(_bob)).ToArray();
        await Task.WhenAll(messages.Select(message => alice.Connection.RequestAsync<MessageAccepted>(message, Cancellation)));
        var deliveries = await bob.NextDeliveriesAsync(200, Cancellation);
        Assert.Equal(messages.Select(static message => message.Message), deliveries.Select(static delivery => delivery.Message));
        Assert.Equal(Enumerable.Range(1, 200).Select(static i => (ulong)i), deliveries.Select(static delivery => delivery.Sequence));
    }

    [Fact]
    public async Task The_newest_connection_that_wants_mail_gets_it_and_the_older_one_is_told()
    {
        await using var older = await _server.SignInAsync(_bob, Cancellation);
        await older.GrantAsync(10, Cancellation);
        await using var newer = await _server.SignInAsync(_bob, Cancellation);

        // A connection that only sends takes nothing over.
        await newer.SendAsync(_bob, Cancellation);
        Assert.Equal(1ul, (await older.NextDeliveryAsync(Cancellation)).Sequence);

        await newer.GrantAsync(10, Cancellation);
        Assert.Equal(NoticeKind.TakenOver, (await older.NextNoticeAsync(Cancellation)).Kind);
        await older.Connection.Ended.WaitAsync(Cancellation);
        Assert.Equal(1ul, (await newer.NextDeliveryAsync(Cancellation)).Sequence);
        await newer.SendAsync(_bob, Cancellation);
        Assert.Equal(2ul, (await newer.NextDeliveryAsync(Cancellation)).Sequence);
    }

    [Fact]
    public async Task Two_devices_of_a_client_receive_side_by_side()
    {
        var phone = TestDevice.Of("bob", _bob.Client);
        await using var first = await _server.SignInAsync(_bob, Cancellation);
        await using var second = await _server.SignInAsync(phone, Cancellation);
        await first.GrantAsync(1, Cancellation);
        await second.GrantAsync(1, Cancellation);
        await using var alice = await _server.SignInAsync(_alice, Cancellation);
        var (one, two) = (TestEnvelope.Make(), TestEnvelope.Make());
        await alice.Connection.RequestAsync<MessageAccepted>(
            new SendMessageRequest(MessageId.New(), _bob.Client, 60, DeliveryKind.Durable, [new(phone.Device, two), new(_bob.Device, one)], []), Cancellation);
        Assert.Equal(one, (await first.NextDeliveryAsync(Cancellation)).Envelope.ToArray());
        Assert.Equal(two, (await second.NextDeliveryAsync(Cancellation)).Envelope.ToArray());
    }

    [Fact]
    public async Task Wrong_and_missing_devices_are_named()
    {
        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        await using var alice = await _server.SignInAsync(_alice, Cancellation);
        var stranger = TestDevice.Of("bob", _bob.Client);
        var reply = await alice.Connection.RequestAsync<DevicesMismatched>(TestClient.Message(stranger), Cancellation);
        Assert.Equal([stranger.Device], reply.Unknown);
        Assert.Equal([_bob.Device], reply.Missing);
    }

    [Fact]
    public async Task A_device_that_is_left_out_is_not_missed_and_gets_nothing()
    {
        var (phone, tablet) = (TestDevice.Of("bob", _bob.Client), TestDevice.Of("bob", _bob.Client));
        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        await using var second = await _server.SignInAsync(phone, Cancellation);
        await using var third = await _server.SignInAsync(tablet, Cancellation);
        await bob.GrantAsync(10, Cancellation);
        await using var alice = await _server.SignInAsync(_alice, Cancellation);

        // Whether it waits in mailboxes or not.
        foreach (var kind in new[] { DeliveryKind.Durable, DeliveryKind.Ephemeral })
        {
            var message = TestClient.Message(_bob) with { Kind = kind, LeftOut = [phone.Device] };
            var reply = await alice.Connection.RequestAsync<DevicesMismatched>(message, Cancellation);
            Assert.Equal([tablet.Device], reply.Missing);
            Assert.Empty(reply.Unknown);

            var whole = message with { LeftOut = [tablet.Device, phone.Device] };
            await alice.Connection.RequestAsync<MessageAccepted>(whole, Cancellation);
            Assert.Equal(message.Message, (await bob.NextDeliveryAsync(Cancellation)).Message);
        }

        Assert.Equal(0ul, (await second.GrantAsync(1, Cancellation)).NewestWaiting);
        Assert.Equal(0ul, (await third.GrantAsync(1, Cancellation)).NewestWaiting);
    }

    [Fact]
    public async Task A_device_that_is_left_out_and_unknown_is_ignored()
    {
        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        await using var alice = await _server.SignInAsync(_alice, Cancellation);
        await alice.Connection.RequestAsync<MessageAccepted>(
            TestClient.Message(_bob) with { LeftOut = [DeviceId.New(), _alice.Device] }, Cancellation);

        // It is not named where others are.
        var stranger = TestDevice.Of("bob", _bob.Client);
        var reply = await alice.Connection.RequestAsync<DevicesMismatched>(
            TestClient.Message(stranger) with { LeftOut = [DeviceId.New()] }, Cancellation);
        Assert.Equal([stranger.Device], reply.Unknown);
        Assert.Equal([_bob.Device], reply.Missing);
    }

    [Fact]
    public async Task A_repeat_is_one_whatever_it_leaves_out()
    {
        var phone = TestDevice.Of("bob", _bob.Client);
        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        await using var second = await _server.SignInAsync(phone, Cancellation);
        await using var alice = await _server.SignInAsync(_alice, Cancellation);
        var message = TestClient.Message(_bob) with { LeftOut = [phone.Device] };
        var accepted = await alice.Connection.RequestAsync<MessageAccepted>(message, Cancellation);

        Assert.Equal(accepted, await alice.Connection.RequestAsync<MessageAccepted>(message, Cancellation));
        foreach (DeviceId[] leftOut in (DeviceId[][])[[], [phone.Device, DeviceId.New()]])
        {
            Assert.Equal(accepted, await alice.Connection.RequestAsync<MessageAccepted>(message with { LeftOut = leftOut }, Cancellation));
        }

        // With an envelope more it is another message.
        var more = message with { Envelopes = [.. message.Envelopes, new(phone.Device, TestEnvelope.Make())], LeftOut = [] };
        Assert.Equal((ProtocolError.MessageIdReused, TimeSpan.Zero), await RefusalAsync(alice, more));
        Assert.Equal(1ul, (await bob.GrantAsync(10, Cancellation)).NewestWaiting);
        Assert.Equal(message.Message, (await bob.NextDeliveryAsync(Cancellation)).Message);
        await bob.FenceAsync(Cancellation);
        Assert.Equal(0, bob.Waiting);
        Assert.Equal(0ul, (await second.GrantAsync(1, Cancellation)).NewestWaiting);
    }

    [Fact]
    public async Task Refusals_carry_their_code_and_when_to_retry()
    {
        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        await using var alice = await _server.SignInAsync(_alice, Cancellation);
        Assert.Equal((ProtocolError.UnknownClient, TimeSpan.Zero), await RefusalAsync(alice, TestClient.Message(TestDevice.Of("x"))));
        Assert.Equal(
            (ProtocolError.UnknownClient, TimeSpan.Zero), await RefusalAsync(alice, new FetchPrekeysRequest(ClientId.New(), [])));

        var first = TestClient.Message(_bob);
        await alice.Connection.RequestAsync<MessageAccepted>(first, Cancellation);
        Assert.Equal(
            (ProtocolError.MessageIdReused, TimeSpan.Zero), await RefusalAsync(alice, TestClient.Message(_bob, id: first.Message)));

        await Task.WhenAll(Enumerable.Range(0, 299).Select(_ => alice.SendAsync(_bob, Cancellation)));
        Assert.Equal((ProtocolError.QuotaExceeded, TimeSpan.FromSeconds(60)), await RefusalAsync(alice, TestClient.Message(_bob)));
        await bob.AcknowledgeAsync(1, 1, Cancellation);
        await alice.SendAsync(_bob, Cancellation);
    }

    [Fact]
    public async Task While_the_store_fails_senders_are_told_to_come_again_and_later_all_is_well()
    {
        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        await bob.GrantAsync(10, Cancellation);
        await using var alice = await _server.SignInAsync(_alice, Cancellation);
        await alice.SendAsync(_bob, Cancellation);
        Assert.Equal(1ul, (await bob.NextDeliveryAsync(Cancellation)).Sequence);
        var message = TestClient.Message(_bob);
        using (var other = new SqliteDatabase(_server.Database).Open())
        {
            Execute(other, "ALTER TABLE Envelopes RENAME TO Hidden");
            Assert.Equal((ProtocolError.Busy, TimeSpan.FromSeconds(1)), await RefusalAsync(alice, message));

            // Of what is on disk; what never was is answered at once.
            var acknowledge = new AcknowledgeRequest([new SequenceRange(1, 1)], 0);
            Assert.Equal((ProtocolError.Busy, TimeSpan.FromSeconds(1)), await RefusalAsync(bob, acknowledge));
            Execute(other, "ALTER TABLE Hidden RENAME TO Envelopes");
        }

        await alice.Connection.RequestAsync<MessageAccepted>(message, Cancellation);
        Assert.Equal(message.Message, (await bob.NextDeliveryAsync(Cancellation)).Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(149)]
    public async Task An_envelope_that_cannot_be_one_ends_the_connection(int length)
    {
        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        await using var alice = await _server.SignInAsync(_alice, Cancellation);
        var envelope = TestEnvelope.Make().AsSpan(0, Math.Min(length, 148)).ToArray();
        await Assert.ThrowsAsync<ChannelException>(() => alice.SendAsync(_bob, Cancellation, [.. envelope, .. new byte[length - envelope.Length]]));
        var end = await alice.Connection.Ended.WaitAsync(Cancellation);
        Assert.Equal((ChannelFailure.RefusedByPeer, ProtocolError.Malformed), (end.Failure, end.PeerError));
        Assert.Equal(0ul, (await bob.GrantAsync(1, Cancellation)).NewestWaiting);
    }

    [Fact]
    public async Task The_largest_envelope_passes()
    {
        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        await bob.GrantAsync(1, Cancellation);
        await using var alice = await _server.SignInAsync(_alice, Cancellation);
        var envelope = TestEnvelope.Make(TestEnvelope.MostBlocks);
        await alice.SendAsync(_bob, Cancellation, envelope);
        Assert.Equal(envelope, (await bob.NextDeliveryAsync(Cancellation)).Envelope.ToArray());
    }

    [Fact]
    public async Task An_idle_client_holds_up_no_stop_and_is_told_to_come_again()
    {
        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        await bob.GrantAsync(1, Cancellation);
        await using var stranger = await _server.ConnectAsync(Cancellation);
        var started = TimeProvider.System.GetTimestamp();
        await _server.App.StopAsync(Cancellation);
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(2));
        var notice = await bob.NextNoticeAsync(Cancellation);
        Assert.Equal(NoticeKind.ShuttingDown, notice.Kind);
        Assert.NotEqual(0u, notice.RetryAfterMilliseconds);
    }

    [Fact]
    public async Task Nothing_that_a_client_sent_is_in_the_log()
    {
        await using (await SendWhileBobIsAwayAsync(3))
        await using (var bob = await _server.SignInAsync(_bob, Cancellation))
        {
            await bob.GrantAsync(3, Cancellation);
            await bob.NextDeliveriesAsync(3, Cancellation);
        }

        await _server.StopAsync();
        Assert.DoesNotContain(_server.Log.Lines, static line =>
            line.Text.Contains("alice", StringComparison.Ordinal) || line.Text.Contains("bob", StringComparison.Ordinal));
        Assert.DoesNotContain(_server.Log.Lines, static line => line.Level >= Microsoft.Extensions.Logging.LogLevel.Error);
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static ulong[] Sequences(List<Deliver> deliveries) => [.. deliveries.Select(static delivery => delivery.Sequence)];

    private static async Task<(ProtocolError Error, TimeSpan RetryAfter)> RefusalAsync(TestClient client, IWireMessage request)
    {
        var refusal = await Assert.ThrowsAsync<RequestRefusedException>(() => client.Connection.RequestAsync(request, Cancellation));
        return (refusal.Error, refusal.RetryAfter);
    }

    private async Task<TestClient> SendWhileBobIsAwayAsync(int count)
    {
        await using (await _server.SignInAsync(_bob, Cancellation))
        {
        }

        var alice = await _server.SignInAsync(_alice, Cancellation);
        for (var i = 0; i < count; i++)
        {
            await alice.SendAsync(_bob, Cancellation);
        }

        return alice;
    }
}
