using System.Globalization;
using KerberosMessaging.Client;

namespace KerberosMessaging.Terminal.Rendering;

/// <summary>A received message, for people and for programs.</summary>
internal static class MessageLine
{
    private const string Indentation = "    ";

    /// <summary>The time that the server took it, in the user's time zone, then sender and text.</summary>
    public static string ToText(ReceivedMessage message, TimeProvider time)
    {
        var at = TimeZoneInfo.ConvertTime(message.AcceptedAt, time.LocalTimeZone);
        return string.Create(
            CultureInfo.InvariantCulture, $"{at:yyyy-MM-dd HH:mm:ss}  {SafeText.OfLine(message.SenderName)}: {TextOf(message)}");
    }

    public static string ToJson(ReceivedMessage message) => JsonLine.Of(json =>
    {
        json.WriteString("id", message.Id.ToString());
        json.WriteString("sender", message.SenderName);
        json.WriteString("senderId", message.Sender.ToString());
        json.WriteString("device", message.SenderDevice.ToString());
        json.WriteString("acceptedAt", JsonLine.TimeOf(message.AcceptedAt));
        json.WriteString("sentAt", message.Content is { } sent ? JsonLine.TimeOf(sent.SentAt) : null);
        json.WriteString("kind", message.Content?.Kind switch
        {
            null => null,
            MessageKind.Text => "text",
            var other => ((ushort)other).ToString(CultureInfo.InvariantCulture),
        });
        if (message.Content?.Text is { } text)
        {
            json.WriteString("text", text);
        }
        else if (message.Content is { } content)
        {
            json.WriteBase64String("bodyBase64", content.Body.Span);
        }

        json.WriteString("problem", ProblemOf(message) switch
        {
            MessageProblem.None => null,
            MessageProblem.UntrustedSender => "untrustedSender",
            _ => "unreadable",
        });
    });

    private static string TextOf(ReceivedMessage message) => ProblemOf(message) switch
    {
        MessageProblem.None when message.Content!.Text is { } text => SafeText.OfBlock(text, Indentation),
        MessageProblem.None => $"[{message.Content!.Body.Length} bytes of kind {(ushort)message.Content.Kind}; --json shows them]",
        MessageProblem.UntrustedSender => "[not shown: nothing proves that this sender sent it]",
        _ => "[cannot be read: not made for this device's keys, or damaged on the way]",
    };

    // Content of a version that is not known yet has no problem of its own and cannot be shown either.
    private static MessageProblem ProblemOf(ReceivedMessage message) =>
        message is { Problem: MessageProblem.None, Content: null } ? MessageProblem.Unreadable : message.Problem;
}
