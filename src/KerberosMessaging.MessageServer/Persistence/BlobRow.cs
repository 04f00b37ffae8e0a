namespace KerberosMessaging.MessageServer.Persistence;

/// <summary>A blob, complete or being uploaded. It is there before the blob's file is, and goes before the file does.</summary>
internal sealed class BlobRow
{
    public Guid Id { get; set; }

    /// <summary>What admins call it: random, and of no use to whoever wants to read it, unlike its id.</summary>
    public Guid Handle { get; set; }

    /// <summary>The client that uploads it.</summary>
    public Guid ClientId { get; set; }

    /// <summary>Bytes of the sealed content, as announced.</summary>
    public long Size { get; set; }

    /// <summary>SHA-256 of the sealed content, as announced.</summary>
    public byte[] Digest { get; set; } = [];

    /// <summary>As its uploader asked; 0 for the default.</summary>
    public uint TimeToLiveSeconds { get; set; }

    /// <summary>Set after the file has its final name and is on disk.</summary>
    public bool IsComplete { get; set; }

    /// <summary>Milliseconds since 1970.</summary>
    public long CreatedAt { get; set; }

    /// <summary>Milliseconds since 1970. Before it is complete: when the upload is given up unless more comes.</summary>
    public long ExpiresAt { get; set; }
}
