using System.Text.Json;
using KerberosMessaging.Client;
using KerberosMessaging.Protocol;
using KerberosMessaging.Terminal.Rendering;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.Terminal.Tests.Rendering;

public sealed class MessageLineTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 23, 9, 11, 12, 345, TimeSpan.Zero);

    [Fact]
    public void A_text_is_shown_with_the_local_time_and_its_sender()
    {
        var time = new FakeTimeProvider();
        time.SetLocalTimeZone(TimeZoneInfo.CreateCustomTimeZone("test", TimeSpan.FromHours(1), "test", "test"));

        Assert.Equal("2026-11-23 10:11:12  alice: hello bob", MessageLine.ToText(Message("hello bob"), time));
    }

    [Fact]
    public void Sender_and_text_cannot_drive_the_terminal() => Assert.Equal(
        "2026-11-23 09:11:12  a␊lice␛: x␛[2J\n    2026-11-23 09:11:13  carol: y",
        MessageLine.ToText(Message("x\e[2J\n2026-11-23 09:11:13  carol: y", sender: "a\nlice\e"), new FakeTimeProvider()).ReplaceLineEndings("\n"));

    [Theory]
    [InlineData(MessageProblem.Unreadable, "[could not be read; the sender's device was asked to send it again]")]
    [InlineData(MessageProblem.UntrustedSender, "[not shown: nothing proves that this sender sent it]")]
    [InlineData(MessageProblem.UnlinkedDevice, "[not shown: from a device of alice that is not linked; 'kmsg contacts verify alice' tells more]")]
    [InlineData(MessageProblem.None, "[cannot be shown: in a form that this version does not know]")]
    public void A_message_without_content_says_why(MessageProblem problem, string expected) => Assert.Equal(
        $"2026-11-23 09:11:12  alice: {expected}", MessageLine.ToText(Message(null, problem: problem), new FakeTimeProvider()));

    [Fact]
    public void The_name_of_a_sender_whose_device_is_not_linked_cannot_drive_the_terminal() => Assert.DoesNotContain(
        "\e", MessageLine.ToText(Message(null, "al\eice", MessageProblem.UnlinkedDevice), new FakeTimeProvider()), StringComparison.Ordinal);

    [Fact]
    public void An_unknown_kind_is_named() => Assert.Equal(
        "2026-11-23 09:11:12  alice: [3 bytes of kind 99; --json shows them]",
        MessageLine.ToText(Message(Unknown), new FakeTimeProvider()));

    [Fact]
    public void Json_has_everything()
    {
        var json = MessageLine.ToJson(Message("hällo\n\e\"you\""));

        Assert.Equal(
            """
            {"id":"00000000000000000000000000000001","sender":"alice","senderId":"00000000000000000000000000000002","device":"00000000000000000000000000000003","acceptedAt":"2026-11-23T09:11:12.345Z","sentAt":"2026-11-23T09:11:11.345Z","kind":"text","text":"hällo\n\u001B\u0022you\u0022","problem":null}
            """,
            json);
        using var parsed = JsonDocument.Parse(json);
        Assert.Equal("hällo\n\e\"you\"", parsed.RootElement.GetProperty("text").GetString());
    }

    [Fact]
    public void Json_of_an_unknown_kind_has_its_bytes()
    {
        using var json = JsonDocument.Parse(MessageLine.ToJson(Message(Unknown)));

        Assert.Equal("99", json.RootElement.GetProperty("kind").GetString());
        Assert.Equal([1, 2, 3], json.RootElement.GetProperty("bodyBase64").GetBytesFromBase64());
        Assert.False(json.RootElement.TryGetProperty("text", out _));
    }

    [Theory]
    [InlineData(MessageProblem.Unreadable, "unreadable")]
    [InlineData(MessageProblem.UntrustedSender, "untrustedSender")]
    [InlineData(MessageProblem.UnlinkedDevice, "unlinkedDevice")]
    [InlineData(MessageProblem.None, "unreadable")]
    public void Json_without_content_says_why(MessageProblem problem, string expected)
    {
        using var json = JsonDocument.Parse(MessageLine.ToJson(Message(null, problem: problem)));

        Assert.Equal(expected, json.RootElement.GetProperty("problem").GetString());
        Assert.Equal(JsonValueKind.Null, json.RootElement.GetProperty("kind").ValueKind);
        Assert.Equal(JsonValueKind.Null, json.RootElement.GetProperty("sentAt").ValueKind);
    }

    private static MessageContent Unknown => new((MessageKind)99, At, new byte[] { 1, 2, 3 });

    private static ReceivedMessage Message(string text, string sender = "alice") =>
        Message(MessageContent.OfText(text, At.AddSeconds(-1)), sender);

    private static ReceivedMessage Message(
        MessageContent? content,
        string sender = "alice",
        MessageProblem problem = MessageProblem.None) => new()
        {
            Id = new MessageId(Guid.Parse("00000000000000000000000000000001")),
            Sender = new ClientId(Guid.Parse("00000000000000000000000000000002")),
            SenderName = sender,
            SenderDevice = new DeviceId(Guid.Parse("00000000000000000000000000000003")),
            AcceptedAt = At,
            Content = content,
            Problem = problem,
        };
}
