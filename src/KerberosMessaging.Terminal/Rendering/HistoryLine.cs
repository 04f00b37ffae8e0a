using KerberosMessaging.Client;

namespace KerberosMessaging.Terminal.Rendering;

/// <summary>A message of the history, for people and for programs.</summary>
internal static class HistoryLine
{
    /// <summary>The time that the server took it, in the user's time zone, the way it went, the other side, and what it says.</summary>
    public static string ToText(HistoryEntry entry, TimeProvider time) =>
        $"{LocalTime.ToSecond(entry.AcceptedAt, time)}  {(entry.IsOutgoing ? "->" : "<-")} {SafeText.OfLine(entry.PeerName)}: "
        + ContentView.ToText(entry.Content, entry.Problem, entry.SenderName);

    public static string ToJson(HistoryEntry entry) => JsonLine.Of(json =>
    {
        json.WriteString("id", entry.Id.ToString());
        json.WriteString("direction", entry.IsOutgoing ? "out" : "in");
        json.WriteString("peer", entry.PeerName);
        json.WriteString("peerId", entry.Peer.ToString());
        json.WriteString("acceptedAt", JsonLine.TimeOf(entry.AcceptedAt));
        ContentView.WriteMembers(json, entry.Content, entry.Problem);
    });
}
