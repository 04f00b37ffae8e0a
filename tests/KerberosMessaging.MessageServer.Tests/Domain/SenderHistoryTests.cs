using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Tests.Support;

namespace KerberosMessaging.MessageServer.Tests.Domain;

public sealed class SenderHistoryTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.FromUnixTimeMilliseconds(1_800_000_000_000);

    private readonly TestDevice _alice = TestDevice.Of("alice");
    private readonly TestDevice _bob = TestDevice.Of("bob");
    private readonly SenderHistory _history = new(1, 0, []);

    [Fact]
    public void A_repeat_is_answered_as_the_first_was()
    {
        var first = Accept(Message());
        Assert.Equal(SendResult.Accepted(Start), Repeat(first, Start.AddDays(1)).Known! with { Unknown = [], Missing = [] }, Same);
    }

    [Fact]
    public void A_repeat_of_what_is_under_way_gets_the_same_answer_and_so_does_one_of_that()
    {
        var first = New(Message(), Start);
        var (second, third) = (Repeat(first, Start.AddSeconds(1)), Repeat(first, Start.AddSeconds(2)));
        Assert.False(second.IsNew);
        Assert.Null(second.Known);
        first.Finish(_history, SendResult.Refused(SendStatus.Busy));
        Assert.All([first, second.Send, third.Send], static send => Assert.Equal(1, send.Answers));

        // It was not taken, so its id is free.
        var again = Repeat(first, Start.AddSeconds(3));
        Assert.True(again.IsNew);
        again.Send.Finish(_history, SendResult.Accepted(again.Send.AcceptedAt));
        Assert.Equal(Start.AddSeconds(3), Repeat(first, Start.AddSeconds(4)).Known!.AcceptedAt);
    }

    [Fact]
    public void Another_message_under_an_id_is_refused_whether_or_not_the_first_was_answered()
    {
        var first = New(Message(), Start);
        Assert.Equal(SendStatus.MessageIdReused, Begin(TestSend.Of(_alice, [_bob], id: first.Message), Start).Known!.Status);
        first.Finish(_history, SendResult.Accepted(Start));
        Assert.Equal(SendStatus.MessageIdReused, Begin(TestSend.Of(_alice, [_bob], id: first.Message), Start).Known!.Status);
    }

    [Fact]
    public void An_id_is_known_for_the_window_and_not_longer()
    {
        var first = Accept(Message());
        Assert.NotNull(Repeat(first, Start + SenderHistory.Window - TimeSpan.FromMilliseconds(1)).Known);
        var late = Repeat(first, Start + SenderHistory.Window);
        Assert.True(late.IsNew);
        late.Send.Finish(_history, SendResult.Accepted(late.Send.AcceptedAt));
        Assert.Equal(late.Send.AcceptedAt, Repeat(first, Start + SenderHistory.Window).Known!.AcceptedAt);
    }

    [Fact]
    public void The_last_messages_are_known_and_those_before_them_are_not()
    {
        var sends = Enumerable.Range(0, SenderHistory.Remembered + 1).Select(_ => Accept(Message())).ToArray();
        Assert.All(sends[1..], send => Assert.NotNull(Repeat(send, Start).Known));
        Assert.True(Repeat(sends[0], Start).IsNew);
    }

    [Fact]
    public void A_message_that_was_refused_once_is_known_as_long_as_any_other()
    {
        var refused = New(Message(), Start);
        refused.Finish(_history, SendResult.Refused(SendStatus.Busy));
        for (var i = 1; i < SenderHistory.Remembered; i++)
        {
            Accept(Message());
        }

        var accepted = Accept(refused.Submission);
        Assert.NotNull(Repeat(accepted, Start).Known);
        for (var i = 1; i < SenderHistory.Remembered; i++)
        {
            Accept(Message());
        }

        Assert.NotNull(Repeat(accepted, Start).Known);
    }

    [Fact]
    public void Refusals_push_out_nothing_that_was_accepted()
    {
        var accepted = Accept(Message());
        for (var i = 0; i < 2 * SenderHistory.Remembered; i++)
        {
            New(Message(), Start).Finish(_history, SendResult.Refused(SendStatus.QuotaExceeded));
        }

        Assert.NotNull(Repeat(accepted, Start).Known);
    }

    [Fact]
    public void What_is_on_disk_is_taken_up_with_the_newest_last()
    {
        var submissions = Enumerable.Range(0, SenderHistory.Remembered + 5).Select(_ => Message()).ToArray();
        var history = new SenderHistory(
            1, 40, submissions.Select(static submission => new SentId(submission.Message, submission.Digest, Start)));
        Assert.Equal(41, history.NextNumber());
        Assert.Equal(42, history.NextNumber());
        Assert.All(submissions[5..], submission => Assert.NotNull(history.Start(new TestSend(submission, Start), out _)));
        Assert.Null(history.Start(new TestSend(submissions[4], Start), out var isNew));
        Assert.True(isNew);
    }

    [Fact]
    public void It_is_busy_while_a_message_is_under_way()
    {
        Assert.False(_history.IsBusy);
        var (first, second) = (New(Message(), Start), New(Message(), Start));
        Repeat(first, Start);
        first.Finish(_history, SendResult.Accepted(Start));
        Assert.True(_history.IsBusy);
        second.Finish(_history, SendResult.Refused(SendStatus.Busy));
        Assert.False(_history.IsBusy);
    }

    private static bool Same(SendResult one, SendResult other) => one.Status == other.Status && one.AcceptedAt == other.AcceptedAt;

    private Submission Message() => TestSend.Of(_alice, [_bob], [1]);

    private TestSend New(Submission submission, DateTimeOffset at)
    {
        var (send, known, isNew) = Begin(submission, at);
        Assert.True(isNew);
        Assert.Null(known);
        return send;
    }

    private TestSend Accept(Submission submission)
    {
        var send = New(submission, Start);
        send.Finish(_history, SendResult.Accepted(Start));
        return send;
    }

    private (TestSend Send, SendResult? Known, bool IsNew) Repeat(TestSend send, DateTimeOffset at) => Begin(send.Submission, at);

    private (TestSend Send, SendResult? Known, bool IsNew) Begin(Submission submission, DateTimeOffset at)
    {
        var send = new TestSend(submission, at);
        var known = _history.Start(send, out var isNew);
        return (send, known, isNew);
    }
}
