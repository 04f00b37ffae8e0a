using System.Globalization;
using System.Text.Json;
using KerberosMessaging.Client;

namespace KerberosMessaging.Terminal.Rendering;

/// <summary>What a message says, or why it says nothing, for people and for programs.</summary>
internal static class ContentView
{
    private const string Indentation = "    ";

    /// <param name="content">What it says.</param>
    /// <param name="problem">Why there is nothing to read.</param>
    /// <param name="sender">The sender's name.</param>
    public static string ToText(MessageContent? content, MessageProblem problem, string sender) => problem switch
    {
        MessageProblem.None when content is null => "[cannot be shown: in a form that this version does not know]",
        MessageProblem.None when content.Text is { } text => SafeText.OfBlock(text, Indentation),
        MessageProblem.None => $"[{content.Body.Length} bytes of kind {(ushort)content.Kind}; --json shows them]",
        MessageProblem.UntrustedSender => "[not shown: nothing proves that this sender sent it]",
        MessageProblem.UnlinkedDevice =>
            $"[not shown: from a device of {SafeText.OfLine(sender)} that is not linked; "
            + $"'kmsg contacts verify {SafeText.OfLine(sender)}' tells more]",
        _ => "[could not be read; the sender's device was asked to send it again]",
    };

    public static void WriteMembers(Utf8JsonWriter json, MessageContent? content, MessageProblem problem)
    {
        json.WriteString("sentAt", content is { } sent ? JsonLine.TimeOf(sent.SentAt) : null);
        json.WriteString("kind", content?.Kind switch
        {
            null => null,
            MessageKind.Text => "text",
            var other => ((ushort)other).ToString(CultureInfo.InvariantCulture),
        });
        if (content?.Text is { } text)
        {
            json.WriteString("text", text);
        }
        else if (content is not null)
        {
            json.WriteBase64String("bodyBase64", content.Body.Span);
        }

        json.WriteString("problem", problem switch
        {
            MessageProblem.None when content is not null => null,
            MessageProblem.UntrustedSender => "untrustedSender",
            MessageProblem.UnlinkedDevice => "unlinkedDevice",

            // Also content of a version that is not known yet: it has no problem of its own and cannot be shown either.
            _ => "unreadable",
        });
    }
}
