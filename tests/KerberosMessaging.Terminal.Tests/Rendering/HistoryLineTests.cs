using KerberosMessaging.Client;
using KerberosMessaging.Protocol;
using KerberosMessaging.Terminal.Rendering;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.Terminal.Tests.Rendering;

public sealed class HistoryLineTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 23, 9, 11, 12, 345, TimeSpan.Zero);

    [Theory]
    [InlineData(true, "2026-11-23 10:11:12  -> bob: hello")]
    [InlineData(false, "2026-11-23 10:11:12  <- bob: hello")]
    public void What_was_sent_and_what_was_received_are_told_apart(bool isOutgoing, string expected)
    {
        var time = new FakeTimeProvider();
        time.SetLocalTimeZone(TimeZoneInfo.CreateCustomTimeZone("test", TimeSpan.FromHours(1), "test", "test"));

        Assert.Equal(expected, HistoryLine.ToText(Entry("bob", isOutgoing, MessageContent.OfText("hello", At)), time));
    }

    [Fact]
    public void Name_and_text_cannot_drive_the_terminal() => Assert.Equal(
        "2026-11-23 09:11:12  <- b␛ob: x␛[2J\n    2026-11-23 09:11:13  -> carol: y",
        HistoryLine.ToText(
            Entry("b\eob", false, MessageContent.OfText("x\e[2J\n2026-11-23 09:11:13  -> carol: y", At)), new FakeTimeProvider())
            .ReplaceLineEndings("\n"));

    [Fact]
    public void An_unknown_kind_is_named() => Assert.Equal(
        "2026-11-23 09:11:12  <- bob: [2 bytes of kind 99; --json shows them]",
        HistoryLine.ToText(
            Entry("bob", false, new MessageContent((MessageKind)99, At, new byte[] { 1, 2 })), new FakeTimeProvider()));

    [Fact]
    public void Json_has_everything() => Assert.Equal(
        """
        {"id":"00000000000000000000000000000001","direction":"out","peer":"bob","peerId":"00000000000000000000000000000002","acceptedAt":"2026-11-23T09:11:12.345Z","sentAt":"2026-11-23T09:11:12.345Z","kind":"text","text":"hello","problem":null}
        """,
        HistoryLine.ToJson(Entry("bob", true, MessageContent.OfText("hello", At))));

    [Fact]
    public void Json_without_content_says_why() => Assert.Equal(
        """
        {"id":"00000000000000000000000000000001","direction":"in","peer":"bob","peerId":"00000000000000000000000000000002","acceptedAt":"2026-11-23T09:11:12.345Z","sentAt":null,"kind":null,"problem":"unlinkedDevice"}
        """,
        HistoryLine.ToJson(Entry("bob", false, null, MessageProblem.UnlinkedDevice)));

    private static HistoryEntry Entry(
        string peer, bool isOutgoing, MessageContent? content, MessageProblem problem = MessageProblem.None) => new()
        {
            Position = 1,
            Id = new MessageId(Guid.Parse("00000000000000000000000000000001")),
            Peer = new ClientId(Guid.Parse("00000000000000000000000000000002")),
            PeerName = peer,
            SenderName = isOutgoing ? "alice" : peer,
            IsOutgoing = isOutgoing,
            AcceptedAt = At,
            Content = content,
            Problem = problem,
        };
}
