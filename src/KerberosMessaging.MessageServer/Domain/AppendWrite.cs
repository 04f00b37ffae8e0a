namespace KerberosMessaging.MessageServer.Domain;

/// <summary>Puts an envelope into a mailbox, under a sequence number that was given to nothing else.</summary>
internal abstract class AppendWrite : StoreWrite
{
    /// <summary>The mailbox.</summary>
    public abstract long MailboxId { get; }

    /// <summary>The envelope with its number.</summary>
    public abstract StoredEnvelope Envelope { get; }

    /// <summary>When it is no longer to be delivered.</summary>
    public abstract DateTimeOffset ExpiresAt { get; }

    public override long Size => Envelope.Body.Length;
}
