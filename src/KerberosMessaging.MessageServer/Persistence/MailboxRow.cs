namespace KerberosMessaging.MessageServer.Persistence;

/// <summary>A device's mailbox.</summary>
internal sealed class MailboxRow
{
    public long Id { get; set; }

    public Guid ClientId { get; set; }

    public Guid DeviceId { get; set; }

    /// <summary>The client's name as its latest ticket said.</summary>
    public string ClientName { get; set; } = "";

    /// <summary>
    /// No sequence number above this was ever given: numbers are reserved here in blocks before the first of a block is used. So
    /// none is used twice, not even after a crash or when everything was acknowledged.
    /// </summary>
    public long ReservedThrough { get; set; }

    /// <summary>Milliseconds since 1970.</summary>
    public long CreatedAt { get; set; }

    /// <summary>Milliseconds since 1970.</summary>
    public long LastSeenAt { get; set; }

    /// <summary>The published prekeys, opaque to the server.</summary>
    public byte[]? PrekeyBundle { get; set; }

    /// <summary>When prekeys were last uploaded, in milliseconds since 1970.</summary>
    public long? PrekeysUploadedAt { get; set; }
}
