namespace KerberosMessaging.MessageServer.Domain.Blobs;

/// <summary>What admins call a blob: a random number kept beside it. Its id lets whoever knows it read the blob, and is shown to nobody.</summary>
internal readonly record struct BlobHandle(Guid Value);
