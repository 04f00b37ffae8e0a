namespace KerberosMessaging.Client;

/// <summary>An operation of the SDK failed.</summary>
public sealed class MessagingException : Exception
{
    /// <summary>Makes an exception.</summary>
    /// <param name="failure">What the caller can act on.</param>
    /// <param name="message">One line for a person; no secrets.</param>
    /// <param name="inner">The cause, where there is one.</param>
    public MessagingException(MessagingFailure failure, string message, Exception? inner = null)
        : base(message, inner) => Failure = failure;

    /// <summary>What the caller can act on.</summary>
    public MessagingFailure Failure { get; }

    /// <summary>How long the server asks to wait before the next try; zero where it did not say.</summary>
    public TimeSpan RetryAfter { get; init; }
}
