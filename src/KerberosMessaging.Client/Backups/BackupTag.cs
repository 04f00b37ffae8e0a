namespace KerberosMessaging.Client.Backups;

/// <summary>What a record of a backup is. Numbers are never reused.</summary>
internal enum BackupTag : byte
{
    /// <summary>Whose backup it is; the first record, and only that.</summary>
    Owner = 1,

    /// <summary>One of the settings that a backup holds.</summary>
    Setting = 2,

    /// <summary>A contact and its account key.</summary>
    Contact = 3,

    /// <summary>A device of a client.</summary>
    Device = 4,

    /// <summary>A message of the history.</summary>
    Message = 5,

    /// <summary>The id of a message that was received.</summary>
    Received = 6,

    /// <summary>What was sent and can be sent again.</summary>
    Sent = 7,
}
