using KerberosMessaging.Client.Conversations;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client.Tests.Schedules;

/// <summary>What devices do unasked: prekeys are replaced and topped up, and ratchets turn.</summary>
public sealed class UpkeepTests : IDisposable
{
    private readonly Neighbourhood _all = new(2);

    private SimulatedDevice Alice => _all.Alice;

    private SimulatedDevice Bob => _all.Bob;

    public void Dispose() => _all.Dispose();

    [Fact]
    public void Prekeys_that_were_used_are_topped_up_on_the_next_connection()
    {
        Bob.Mailbox.UseUp(93);
        Bob.Connect();

        Assert.Equal((PrekeyKeeper.OneTimePrekeys, PrekeyKeeper.OneTimePrekeys), Stock(Bob));
    }

    [Fact]
    public void Prekeys_that_run_out_are_topped_up_as_soon_as_the_server_says_so()
    {
        Bob.Mailbox.UseUp(20);
        Bob.FollowUp();
        Assert.Equal((20, 20), Stock(Bob));

        Alice.Send("bob", "takes one of each");
        Bob.FollowUp();

        Assert.Equal((PrekeyKeeper.OneTimePrekeys, PrekeyKeeper.OneTimePrekeys), Stock(Bob));
    }

    [Fact]
    public void Prekeys_whose_upload_was_lost_are_uploaded_later()
    {
        Bob.Mailbox.UseUp(50);
        foreach (var kind in new[] { FaultKind.LostRequest, FaultKind.LostAnswer })
        {
            // Look-up, status, upload.
            Bob.Connection.Break(new Fault(kind, 2));
            Assert.Throws<MessagingException>(Bob.Connect);
        }

        Bob.Connect();

        Assert.Equal((PrekeyKeeper.OneTimePrekeys, PrekeyKeeper.OneTimePrekeys), Stock(Bob));
    }

    [Fact]
    public void The_bundle_is_replaced_weekly()
    {
        var first = Bob.Mailbox.Bundle;
        _all.Clock.Advance(TimeSpan.FromDays(6.9));
        Bob.FollowUp();
        Assert.Equal(first, Bob.Mailbox.Bundle);

        _all.Clock.Advance(TimeSpan.FromDays(0.2));
        Bob.FollowUp();
        Assert.NotEqual(first, Bob.Mailbox.Bundle);
    }

    [Fact]
    public void What_was_encrypted_to_the_bundle_before_is_readable_for_a_week()
    {
        Alice.Send("bob", "first");
        _all.Clock.Advance(TimeSpan.FromDays(7));
        Bob.FollowUp();
        Bob.TakeAll();

        Assert.Equal(["first"], Bob.Texts());
    }

    [Fact]
    public void What_was_encrypted_to_a_bundle_of_long_ago_is_sent_again()
    {
        Alice.Send("bob", "first");
        for (var week = 0; week < 2; week++)
        {
            _all.Clock.Advance(TimeSpan.FromDays(7));
            Bob.FollowUp();
        }

        Bob.TakeAll();
        Assert.Equal(MessageProblem.Unreadable, Assert.Single(Bob.History()).Problem);
        Assert.True(_all.Settle());

        Assert.Equal(["first"], Bob.Texts());
    }

    [Fact]
    public void Twelve_messages_without_an_answer_are_answered_once_and_unseen()
    {
        for (var i = 1; i <= 12; i++)
        {
            Assert.Equal(0, CountOf(Bob));
            Alice.Send("bob", $"number {i}");
            Bob.TakeAll();
            Bob.FollowUp();
        }

        Assert.Equal(1, CountOf(Bob));
        Assert.True(_all.Settle());
        Assert.DoesNotContain(Alice.History(), static entry => !entry.Message.IsOutgoing);
    }

    [Fact]
    public void A_message_after_two_days_is_answered_and_then_there_is_silence()
    {
        Alice.Send("bob", "hello");
        Bob.TakeAll();
        Bob.Send("alice", "hello");
        Alice.TakeAll();
        for (var day = 0; day < 10; day++)
        {
            _all.Clock.Advance(TimeSpan.FromDays(1));
            Assert.True(_all.Settle());
        }

        // Alice's part of the turn, unseen; Bob has nothing of Alice's to answer.
        Assert.Equal((2, 1), (CountOf(Alice), CountOf(Bob)));
        Alice.Send("bob", "still there?");
        for (var day = 0; day < 10; day++)
        {
            Assert.True(_all.Settle());
            _all.Clock.Advance(TimeSpan.FromDays(1));
        }

        Assert.Equal((3, 2), (CountOf(Alice), CountOf(Bob)));
    }

    [Fact]
    public void An_own_message_is_answer_enough()
    {
        for (var i = 0; i < 40; i++)
        {
            Alice.Send("bob", $"number {i}");
            Bob.TakeAll();
            Bob.Send("alice", $"number {i}");
            Alice.TakeAll();
            Bob.FollowUp();
            Alice.FollowUp();
        }

        Assert.Equal(80, _all.Server.Log.Count);
    }

    private int CountOf(SimulatedDevice sender) => _all.Server.Log.Count(envelope => envelope.SenderDevice == sender.Id);

    private static (int X25519, int MlKem768) Stock(SimulatedDevice device) =>
        (device.Mailbox.Count(OneTimePrekeyKind.X25519), device.Mailbox.Count(OneTimePrekeyKind.MlKem768));
}
