using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client;

/// <summary>A message of the history.</summary>
public sealed class HistoryEntry
{
    /// <summary>Its place in the history; rises with time.</summary>
    public required long Position { get; init; }

    /// <summary>The message id.</summary>
    public required MessageId Id { get; init; }

    /// <summary>The other side: who sent it to this client, or whom this client sent it to.</summary>
    public required ClientId Peer { get; init; }

    /// <summary>The other side's name.</summary>
    public required string PeerName { get; init; }

    /// <summary>The sender's name.</summary>
    public required string SenderName { get; init; }

    /// <summary>Whether this client sent it, from this device or another.</summary>
    public required bool IsOutgoing { get; init; }

    /// <summary>When the message server took it.</summary>
    public required DateTimeOffset AcceptedAt { get; init; }

    /// <summary>What it says; null when there is a <see cref="Problem"/>.</summary>
    public required MessageContent? Content { get; init; }

    /// <summary>Why there is nothing to read.</summary>
    public required MessageProblem Problem { get; init; }

    /// <summary>Never the content.</summary>
    public override string ToString() => $"message {Id}";
}
