using KerberosMessaging.Client;

namespace KerberosMessaging.Terminal.Rendering;

/// <summary>A received message, for people and for programs.</summary>
internal static class MessageLine
{
    /// <summary>The time that the server took it, in the user's time zone, then sender and text.</summary>
    public static string ToText(ReceivedMessage message, TimeProvider time) =>
        $"{LocalTime.ToSecond(message.AcceptedAt, time)}  {SafeText.OfLine(message.SenderName)}: "
        + ContentView.ToText(message.Content, message.Problem, message.SenderName);

    public static string ToJson(ReceivedMessage message) => JsonLine.Of(json =>
    {
        json.WriteString("id", message.Id.ToString());
        json.WriteString("sender", message.SenderName);
        json.WriteString("senderId", message.Sender.ToString());
        json.WriteString("device", message.SenderDevice.ToString());
        json.WriteString("acceptedAt", JsonLine.TimeOf(message.AcceptedAt));
        ContentView.WriteMembers(json, message.Content, message.Problem);
    });
}
