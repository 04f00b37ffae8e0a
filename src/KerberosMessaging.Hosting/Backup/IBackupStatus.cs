namespace KerberosMessaging.Hosting.Backup;

/// <summary>What became of this server's own backups, for health checks and figures.</summary>
public interface IBackupStatus
{
    /// <summary>How often a backup is due; null when none is scheduled.</summary>
    TimeSpan? Interval { get; }

    /// <summary>When the newest backup in the folder was made; null when there is none.</summary>
    DateTimeOffset? LastSuccess { get; }

    /// <summary>When the last try failed, unless one has succeeded since; it is forgotten at a restart.</summary>
    DateTimeOffset? LastFailure { get; }
}
