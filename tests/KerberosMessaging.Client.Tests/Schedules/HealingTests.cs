using KerberosMessaging.Client.Conversations;
using KerberosMessaging.Client.Store;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Client.Tests.Schedules;

/// <summary>What one device could not read, another sends again.</summary>
public sealed class HealingTests : IDisposable
{
    private readonly Neighbourhood _all = new(2);

    private SimulatedDevice Alice => _all.Alice;

    private SimulatedDevice Bob => _all.Bob;

    public void Dispose() => _all.Dispose();

    [Fact]
    public void A_receiver_restored_from_a_backup_reads_what_came_meanwhile()
    {
        Converse();
        var backup = _all.NewFile();
        Bob.CopyStore(backup).Dispose();
        Converse();
        Bob.PutBack(backup, isBackup: true);
        Alice.Send("bob", "on the old session");

        Bob.Connect();
        Bob.TakeAll();
        Assert.Contains(MessageProblem.Unreadable, Bob.History().Select(static entry => entry.Problem));
        Heal(Bob, Alice);

        Assert.Equal(["to bob", "on the old session"], Bob.Texts());
    }

    [Fact]
    public void A_receiver_whose_store_was_put_back_notices_by_its_prekeys_and_reads_on()
    {
        Converse();
        var image = _all.NewFile();
        Bob.CopyStore(image).Dispose();
        Bob.Mailbox.UseUp(5);
        Bob.Connect();
        Bob.PutBack(image, isBackup: false);
        Alice.Send("bob", "on the old session");

        // Connecting asserts that no session is left.
        Bob.Connect();
        Bob.TakeAll();
        Heal(Bob, Alice);

        Assert.Equal(["to bob", "on the old session"], Bob.Texts());
    }

    [Fact]
    public void A_sender_restored_from_a_backup_is_read_and_reads_on()
    {
        Converse();
        var backup = _all.NewFile();
        Alice.CopyStore(backup).Dispose();
        Converse();
        Alice.PutBack(backup, isBackup: true);
        Bob.Send("alice", "on the old session");

        Alice.Connect();
        Alice.Send("bob", "on a new one");
        Bob.TakeAll();
        Assert.Equal(["to bob", "to bob", "on a new one"], Bob.Texts());

        Alice.TakeAll();
        Heal(Alice, Bob);
        Assert.Equal(["to alice", "on the old session"], Alice.Texts());
    }

    [Fact]
    public void A_message_is_asked_for_at_once_then_hourly_and_not_more_than_three_times()
    {
        Converse();
        Alice.Send("bob", "one");
        Alice.Send("bob", "two");
        Damage(Bob, 0);
        Damage(Bob, 1);
        Bob.TakeAll();

        foreach (var (minutes, asked) in new[] { (0, 1), (1, 1), (57, 1), (3, 2), (30, 2), (31, 3), (61, 3), (600, 3) })
        {
            _all.Clock.Advance(TimeSpan.FromMinutes(minutes));
            Bob.FollowUp();
            Assert.Equal(asked, CountOf(Bob, Alice));
        }

        // All of them asked for both.
        Heal(Bob, Alice);
        Assert.Equal(["to bob", "one", "two"], Bob.Texts());
    }

    [Fact]
    public void What_cannot_be_sent_again_is_said_to_be_gone_and_not_asked_for_any_more()
    {
        Converse();
        var backup = _all.NewFile();
        Alice.CopyStore(backup).Dispose();
        Alice.Send("bob", "lost");
        Damage(Bob, 0);
        Alice.PutBack(backup, isBackup: true);
        Alice.Connect();

        Bob.TakeAll();
        Heal(Bob, Alice);

        Assert.Equal(["to bob"], Bob.Texts());
        Assert.Equal(MessageProblem.Unreadable, Bob.History()[^1].Problem);
        Assert.Empty(Bob.Store.Read(static transaction => transaction.ListUnreadable()));
        Assert.True(_all.Settle());
        Assert.Equal(1, CountOf(Bob, Alice, inNewSession: true));
    }

    [Fact]
    public void What_is_sent_again_is_shown_once_and_under_its_first_id()
    {
        Converse();
        var sent = Alice.Send("bob", "once");
        var original = Assert.Single(Bob.Mailbox.Waiting);
        Damage(Bob, 0);
        Bob.TakeAll();
        Heal(Bob, Alice);

        var shown = Bob.History()[^1];
        Assert.Equal((sent.Id, "once", MessageProblem.None), (shown.Message.Message, shown.Message.Content?.Text, shown.Problem));
        Assert.Single(Bob.History(), entry => entry.Message.Message == sent.Id);

        // Nor when the first one comes after all.
        _all.Server.Inject(Bob.Id, original);
        Bob.TakeAll();
        Assert.Equal(["to bob", "once"], Bob.Texts());
    }

    [Fact]
    public void A_message_with_damaged_credentials_is_asked_for_too()
    {
        Alice.Send("bob", "hello");
        var delivery = Assert.Single(Bob.Mailbox.Waiting);
        var envelope = delivery.Envelope.ToArray();
        envelope[1250] ^= 1;
        Bob.Mailbox.Waiting[0] = delivery with { Envelope = envelope };
        Bob.TakeAll();
        Assert.Equal(MessageProblem.UntrustedSender, Assert.Single(Bob.History()).Problem);

        Heal(Bob, Alice);

        Assert.Equal(["hello"], Bob.Texts());
    }

    [Fact]
    public void A_message_whose_answer_was_lost_is_sent_again_once_it_is_settled()
    {
        Converse();
        Alice.Connection.Break(new Fault(FaultKind.LostAnswer, 0));
        Assert.Throws<MessagingException>(() => Alice.Send("bob", "hello"));
        Damage(Bob, 0);
        Bob.TakeAll();
        Bob.FollowUp();

        Alice.TakeAll();
        Alice.FollowUp();
        Bob.TakeAll();
        Assert.DoesNotContain("hello", Bob.Texts());

        Alice.Connect();
        Alice.FollowUp();
        Bob.TakeAll();
        Assert.Contains("hello", Bob.Texts());
    }

    [Fact]
    public void What_never_left_does_not_count_as_sent_again()
    {
        Converse();
        Alice.Send("bob", "hello");
        Damage(Bob, 0);
        Bob.TakeAll();
        Bob.FollowUp();
        Alice.TakeAll();
        for (var i = 0; i < 5; i++)
        {
            // The look-up that is due fails.
            _all.Clock.Advance(TimeSpan.FromMinutes(11));
            Alice.Connection.Break(new Fault(FaultKind.LostRequest, 0));
            Alice.FollowUp();
        }

        Alice.FollowUp();
        Bob.TakeAll();

        Assert.Equal(["to bob", "hello"], Bob.Texts());
    }

    [Fact]
    public void A_device_that_was_linked_a_moment_ago_is_asked_at_once()
    {
        Converse();
        Bob.Send("alice", "Bob has just looked alice up");
        var tablet = _all.EnrolLinked(Alice);
        tablet.Send("bob", "hello");
        Damage(Bob, 0);
        Bob.TakeAll();

        Heal(Bob, tablet);

        Assert.Equal(["to bob", "hello"], Bob.Texts());
    }

    [Fact]
    public void A_device_that_is_not_linked_is_sent_nothing_again_and_its_wish_is_dropped()
    {
        Converse();
        var sent = Alice.Send("bob", "not for strangers");
        var stranger = _all.Enrol(Bob.Client);
        stranger.Connect();
        Ask(stranger, "alice", Alice, sent.Id);
        Alice.TakeAll();
        Assert.Empty(Alice.Store.Read(static transaction => transaction.ListResends()));

        Alice.FollowUp();

        Assert.DoesNotContain(_all.Server.Log, envelope => envelope.Device == stranger.Id);
    }

    [Fact]
    public void Whom_a_message_was_not_for_does_not_get_it_by_asking()
    {
        using var all = new Neighbourhood(3);
        var sent = all.Alice.Send("bob", "for bob alone");
        Ask(all.Carol, "alice", all.Alice, sent.Id);

        all.Alice.TakeAll();
        all.Alice.FollowUp();
        all.Carol.TakeAll();

        Assert.Empty(all.Carol.Texts());
        Assert.Empty(all.Alice.Store.Read(static transaction => transaction.ListResends()));
    }

    [Fact]
    public void Kinds_of_content_that_are_not_known_are_kept_also_when_they_are_sent_again()
    {
        Converse();
        var content = new MessageContent((MessageKind)999, _all.Clock.GetUtcNow(), new byte[] { 1, 2, 3 });
        Alice.Send("bob", content);
        Alice.Send("bob", content);
        Damage(Bob, 1);
        Bob.TakeAll();
        Heal(Bob, Alice);

        Assert.All(Bob.History()[^2..], entry =>
        {
            Assert.Equal(MessageProblem.None, entry.Problem);
            Assert.Equal((MessageKind)999, entry.Message.Content?.Kind);
            Assert.Equal(content.Body.ToArray(), entry.Message.Content?.Body.ToArray());
        });
    }

    [Fact]
    public void A_control_message_that_the_server_refused_does_not_stay_in_the_outbox()
    {
        Converse();
        Alice.Send("bob", "hello");
        Damage(Bob, 0);
        Bob.TakeAll();
        Bob.Connection.Break(new Fault(FaultKind.LostRequest, 1));
        Bob.FollowUp();
        Assert.Single(Bob.Store.Read(static transaction => transaction.ListOutbox()));
        _all.Remove(Alice);

        Bob.Connect();

        Assert.Empty(Bob.Store.Read(static transaction => transaction.ListOutbox()));
    }

    // Both have read the other, so that prekey envelopes are over.
    private void Converse()
    {
        Alice.Send("bob", "to bob");
        Bob.TakeAll();
        Bob.Send("alice", "to alice");
        Alice.TakeAll();
    }

    // One asks, the other answers.
    private static void Heal(SimulatedDevice asking, SimulatedDevice asked)
    {
        asking.FollowUp();
        asked.TakeAll();
        asked.FollowUp();
        asking.TakeAll();
        asking.FollowUp();
    }

    private static void Ask(SimulatedDevice asking, string name, SimulatedDevice asked, MessageId message)
    {
        Assert.True(asking.Contacts.LookUpAsync(name, CancellationToken.None).IsCompletedSuccessfully);
        Assert.True(asking.Sender.SendControlAsync(
            asked.Client,
            asked.Id,
            new MessageContent(MessageKind.ResendRequest, SimulatedClock.Epoch, ControlMessages.OfIds([message])),
            inNewSession: true,
            inTransaction: null,
            CancellationToken.None).IsCompletedSuccessfully);
    }

    private static void Damage(SimulatedDevice device, int index)
    {
        var delivery = device.Mailbox.Waiting[index];
        var envelope = delivery.Envelope.ToArray();
        envelope[^1] ^= 1;
        device.Mailbox.Waiting[index] = delivery with { Envelope = envelope };
    }

    // What was sent since they had a conversation; each new session takes prekeys.
    private int CountOf(SimulatedDevice from, SimulatedDevice to, bool inNewSession = false) => inNewSession
        ? _all.Server.Fetches.GetValueOrDefault((from.Id, to.Id))
        : _all.Server.Log.Count(envelope => envelope.SenderDevice == from.Id && envelope.Device == to.Id) - 1;
}
