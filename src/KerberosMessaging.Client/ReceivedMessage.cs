using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client;

/// <summary>Why a message could not be read.</summary>
public enum MessageProblem
{
    /// <summary>It could be read.</summary>
    None = 0,

    /// <summary>It was not made for this device's present keys, or was damaged on the way.</summary>
    Unreadable = 1,

    /// <summary>The sender's device certificate is missing, not of this realm, or not of the stated sender.</summary>
    UntrustedSender = 2,
}

/// <summary>A message that was received and committed to the local store.</summary>
public sealed class ReceivedMessage
{
    /// <summary>The message id.</summary>
    public required MessageId Id { get; init; }

    /// <summary>The sending client.</summary>
    public required ClientId Sender { get; init; }

    /// <summary>The sender's name, as certified by the realm.</summary>
    public required string SenderName { get; init; }

    /// <summary>The sending device.</summary>
    public required DeviceId SenderDevice { get; init; }

    /// <summary>When the message server took it.</summary>
    public required DateTimeOffset AcceptedAt { get; init; }

    /// <summary>What it says; null when there is a <see cref="Problem"/>.</summary>
    public required MessageContent? Content { get; init; }

    /// <summary>Why it could not be read.</summary>
    public required MessageProblem Problem { get; init; }

    /// <summary>Never the content.</summary>
    public override string ToString() => $"message {Id}";
}
